package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/argoproj/argo-cd/v3/pkg/apis/application/v1alpha1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"
)

type applicationsQuestion struct {
	// Manifests of Applications and AppProjects.
	Manifests []json.RawMessage `json:"manifests"`
	// What is in each Application, by its name.
	Contents map[string][]content `json:"contents"`
}

// A kind of object, where its Application puts it.
type content struct {
	Group     string `json:"group"`
	Kind      string `json:"kind"`
	Namespace string `json:"namespace"`
}

// What the controller asks an Application's options for, with `=`.
var options = []string{
	"ApplyOutOfSyncOnly", "ClientSideApplyMigration", "CreateNamespace", "Delete", "FailOnSharedResource", "Force", "Prune",
	"PruneLast", "PrunePropagationPolicy", "Replace", "RespectIgnoreDifferences", "ServerSideApply",
	"SkipDryRunOnMissingResource", "Validate",
}

// judge answers with what is wrong with Applications and their AppProjects.
func judge(question applicationsQuestion) ([]string, error) {
	wrong := []string{}
	say := func(format string, words ...any) { wrong = append(wrong, fmt.Sprintf(format, words...)) }
	projects := map[string]*v1alpha1.AppProject{}
	var applications []*v1alpha1.Application
	for _, manifest := range question.Manifests {
		var about struct {
			Kind string `json:"kind"`
		}
		if err := json.Unmarshal(manifest, &about); err != nil {
			return nil, err
		}
		switch about.Kind {
		case "Application":
			application := &v1alpha1.Application{}
			if err := yaml.UnmarshalStrict(manifest, application); err != nil {
				say("%v", err)
			}
			applications = append(applications, application)
		case "AppProject":
			project := &v1alpha1.AppProject{}
			if err := yaml.UnmarshalStrict(manifest, project); err != nil {
				say("%v", err)
			}
			if err := project.ValidateProject(); err != nil {
				say("AppProject %s: %v", project.Name, err)
			}
			projects[project.Name] = project
		default:
			say("%q is no kind of Argo CD", about.Kind)
		}
	}
	for _, application := range applications {
		name := application.Name
		project, found := projects[application.Spec.Project]
		if !found {
			say("Application %s: no AppProject %s", name, application.Spec.Project)
			continue
		}
		if !project.IsSourcePermitted(application.Spec.GetSource()) {
			say("Application %s: its source is not permitted", name)
		}
		destination := application.Spec.Destination
		cluster := &v1alpha1.Cluster{Server: destination.Server, Name: destination.Name}
		permitted, err := project.IsDestinationPermitted(cluster, destination.Namespace, nil)
		if err != nil || !permitted {
			say("Application %s: its destination is not permitted: %v", name, err)
		}
		if len(question.Contents[name]) == 0 {
			say("Application %s: nothing is in it", name)
		}
		for _, it := range question.Contents[name] {
			permitted, err := project.IsResourcePermitted(
				schema.GroupKind{Group: it.Group, Kind: it.Kind}, it.Namespace, cluster, nil)
			if err != nil || !permitted {
				say("Application %s: %s of %q in %q is not permitted: %v", name, it.Kind, it.Group, it.Namespace, err)
			}
		}
		for _, option := range application.Spec.SyncPolicy.SyncOptions {
			if !isOption(option) {
				say("Application %s: Argo CD knows no option %s", name, option)
			}
		}
	}
	return wrong, nil
}

func isOption(option string) bool {
	for _, known := range options {
		if strings.HasPrefix(option, known+"=") {
			return true
		}
	}
	return false
}
