package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/argoproj/argo-cd/v3/common"
	"github.com/argoproj/argo-cd/v3/pkg/apis/application/v1alpha1"
	"github.com/argoproj/argo-cd/v3/util/argo"
	"github.com/argoproj/argo-cd/v3/util/argo/diff"
	"github.com/argoproj/argo-cd/v3/util/argo/normalizers"
	"github.com/argoproj/argo-cd/v3/util/lua"
	"github.com/argoproj/gitops-engine/pkg/cache"
	gitops "github.com/argoproj/gitops-engine/pkg/diff"
	"github.com/argoproj/gitops-engine/pkg/sync"
	synccommon "github.com/argoproj/gitops-engine/pkg/sync/common"
	resourceutil "github.com/argoproj/gitops-engine/pkg/sync/resource"
	"github.com/argoproj/gitops-engine/pkg/utils/kube"
	"github.com/argoproj/gitops-engine/pkg/utils/tracing"
	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/yaml"
)

// What Git has for an Application.
type desired struct {
	// The data of argocd-cm.
	ConfigMap   map[string]string `json:"configMap"`
	Application json.RawMessage   `json:"application"`
	Project     json.RawMessage   `json:"project"`
	Objects     objects           `json:"objects"`
}

// An Application on a cluster, as the controller has it.
type state struct {
	application v1alpha1.Application
	project     v1alpha1.AppProject
	overrides   lua.ResourceHealthOverrides
	label       string
	method      string
	targets     []*unstructured.Unstructured
	config      *rest.Config
	kubectl     *kube.KubectlCmd
	cache       cache.ClusterCache
}

func open(question desired) (*state, error) {
	s := &state{targets: question.Objects}
	if err := yaml.UnmarshalStrict(question.Application, &s.application); err != nil {
		return nil, err
	}
	if err := yaml.UnmarshalStrict(question.Project, &s.project); err != nil {
		return nil, err
	}
	manager := settingsOf(question.ConfigMap)
	var err error
	if s.overrides, err = manager.GetResourceOverrides(); err != nil {
		return nil, err
	}
	if s.label, err = manager.GetAppInstanceLabelKey(); err != nil {
		return nil, err
	}
	if s.method, err = manager.GetTrackingMethod(); err != nil {
		return nil, err
	}
	if s.config, err = clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG")); err != nil {
		return nil, err
	}
	s.config.QPS, s.config.Burst = 200, 200
	s.kubectl = &kube.KubectlCmd{Log: logr.Discard(), Tracer: tracing.NopTracer{}}
	filter, err := manager.GetResourcesFilter()
	if err != nil {
		return nil, err
	}
	s.cache = cache.NewClusterCache(s.config,
		cache.SetNamespaces([]string{s.namespace()}),
		cache.SetClusterResources(true),
		cache.SetLogr(logr.Discard()),
		cache.SetKubectl(s.kubectl),
		cache.SetSettings(cache.Settings{ResourceHealthOverride: s.overrides, ResourcesFilter: filter}),
		cache.SetPopulateResourceInfoHandler(func(*unstructured.Unstructured, bool) (any, bool) { return nil, true }),
	)
	if err := s.cache.EnsureSynced(); err != nil {
		return nil, err
	}
	for _, target := range s.targets {
		if kube.IsNamespacedOrUnknown(s.cache, target.GroupVersionKind().GroupKind()) && target.GetNamespace() == "" {
			target.SetNamespace(s.namespace())
		}
		if err := s.track(target); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (s *state) namespace() string { return s.application.Spec.Destination.Namespace }

// track marks an object as the Application's.
func (s *state) track(target *unstructured.Unstructured) error {
	return argo.NewResourceTracking().SetAppInstance(
		target, s.label, s.application.Name, s.namespace(), v1alpha1.TrackingMethod(s.method), "")
}

func (s *state) owns(object *unstructured.Unstructured) bool {
	tracking := argo.NewResourceTracking()
	return tracking.GetAppName(object, s.label, v1alpha1.TrackingMethod(s.method), "") == s.application.Name
}

func (s *state) has(option string) bool {
	policy := s.application.Spec.SyncPolicy
	return policy != nil && policy.SyncOptions.HasOption(option)
}

// reconcile pairs what should be with what is.
func (s *state) reconcile() (sync.ReconciliationResult, error) {
	managed := func(r *cache.Resource) bool { return r.Resource != nil && s.owns(r.Resource) }
	live, err := s.cache.GetManagedLiveObjs(s.targets, managed)
	if err != nil {
		return sync.ReconciliationResult{}, err
	}
	return sync.Reconcile(s.targets, live, s.namespace(), s.cache), nil
}

// What Argo CD shows as different.
type difference struct {
	// How it compares.
	Way       string          `json:"way"`
	Object    string          `json:"object"`
	Live      json.RawMessage `json:"live"`
	Predicted json.RawMessage `json:"predicted"`
}

// What Argo CD shows when it compares in one of its ways, and what it compares.
type comparison struct {
	Ways      []string     `json:"ways"`
	Objects   int          `json:"objects"`
	Different []difference `json:"different"`
}

// compare tells what is out of sync, as `CompareAppState` of the controller does, once as the Application's annotation says and once without it.
func (s *state) compare() (comparison, error) {
	said := comparison{Different: []difference{}}
	ways := []bool{false}
	if resourceutil.HasAnnotationOption(&s.application, common.AnnotationCompareOptions, "ServerSideDiff=true") {
		ways = append(ways, true)
	}
	pairs, err := s.reconcile()
	if err != nil {
		return said, err
	}
	said.Objects = len(pairs.Target)
	for _, serverSide := range ways {
		way := "three-way"
		if s.has(synccommon.SyncOptionServerSideApply) {
			way = "structured-merge"
		}
		if serverSide {
			way = "server-side"
		}
		said.Ways = append(said.Ways, way)
		results, err := s.differences(pairs, serverSide)
		if err != nil {
			return said, err
		}
		for i, result := range results.Diffs {
			live, target := pairs.Live[i], pairs.Target[i]
			if result.Modified || live == nil || target == nil {
				found := difference{way, name(target, live), result.NormalizedLive, result.PredictedLive}
				said.Different = append(said.Different, found)
			}
		}
	}
	return said, nil
}

func (s *state) differences(pairs sync.ReconciliationResult, serverSide bool) (*gitops.DiffResultList, error) {
	builder := diff.NewDiffConfigBuilder().
		WithDiffSettings(s.application.Spec.IgnoreDifferences, s.overrides, false, normalizers.IgnoreNormalizerOpts{}).
		WithTracking(s.label, s.method).
		WithNoCache().
		WithGVKParser(s.cache.GetGVKParser()).
		WithManager(common.ArgoCDSSAManager).
		WithServerSideDiff(serverSide).
		WithStructuredMergeDiff(s.has(synccommon.SyncOptionServerSideApply))
	if serverSide {
		run := func(string) (kube.CleanupFunc, error) { return func() {}, nil }
		applier, cleanup, err := kube.ManageServerSideDiffDryRuns(
			s.config, s.cache.GetOpenAPISchema(), tracing.NopTracer{}, logr.Discard(), run)
		if err != nil {
			return nil, err
		}
		defer cleanup()
		builder.WithServerSideDryRunner(gitops.NewK8sServerSideDryRunner(applier))
	}
	config, err := builder.Build()
	if err != nil {
		return nil, err
	}
	return diff.StateDiffs(pairs.Live, pairs.Target, config)
}

func name(candidates ...*unstructured.Unstructured) string {
	for _, object := range candidates {
		if object != nil {
			return fmt.Sprintf("%s/%s", object.GetKind(), object.GetName())
		}
	}
	return ""
}
