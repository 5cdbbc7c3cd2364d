package main

import (
	"context"
	"encoding/json"

	"github.com/argoproj/argo-cd/v3/common"
	"github.com/argoproj/argo-cd/v3/pkg/apis/application/v1alpha1"
	"github.com/argoproj/argo-cd/v3/util/lua"
	"github.com/argoproj/argo-cd/v3/util/settings"
	"github.com/argoproj/gitops-engine/pkg/health"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/kubernetes/fake"
)

// Objects as Argo CD has them: whole numbers are int64, as from the apiserver.
type objects []*unstructured.Unstructured

func (list *objects) UnmarshalJSON(text []byte) error {
	var raw []json.RawMessage
	if err := json.Unmarshal(text, &raw); err != nil {
		return err
	}
	*list = nil
	for _, one := range raw {
		object := &unstructured.Unstructured{}
		if err := object.UnmarshalJSON(one); err != nil {
			return err
		}
		*list = append(*list, object)
	}
	return nil
}

type healthQuestion struct {
	// The data of argocd-cm.
	ConfigMap map[string]string `json:"configMap"`
	Objects   objects           `json:"objects"`
}

// assess answers with the health of each object; null where Argo CD knows none.
func assess(question healthQuestion) ([]*health.HealthStatus, error) {
	overrides, err := overrides(question.ConfigMap)
	if err != nil {
		return nil, err
	}
	said := make([]*health.HealthStatus, len(question.Objects))
	for i, object := range question.Objects {
		if said[i], err = health.GetResourceHealth(object, lua.ResourceHealthOverrides(overrides)); err != nil {
			return nil, err
		}
	}
	return said, nil
}

// settingsOf are those of an Argo CD with this argocd-cm.
func settingsOf(configMap map[string]string) *settings.SettingsManager {
	meta := func(name string) metav1.ObjectMeta {
		part := map[string]string{"app.kubernetes.io/part-of": "argocd"}
		return metav1.ObjectMeta{Name: name, Namespace: "argocd", Labels: part}
	}
	// The newer fake reads all of Kubernetes' schema first.
	client := fake.NewSimpleClientset(
		&corev1.ConfigMap{ObjectMeta: meta(common.ArgoCDConfigMapName), Data: configMap},
		&corev1.Secret{ObjectMeta: meta(common.ArgoCDSecretName)},
	)
	return settings.NewSettingsManager(context.Background(), client, "argocd")
}

// overrides are what an argocd-cm says of kinds.
func overrides(configMap map[string]string) (map[string]v1alpha1.ResourceOverride, error) {
	return settingsOf(configMap).GetResourceOverrides()
}
