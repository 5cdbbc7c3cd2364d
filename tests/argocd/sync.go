package main

import (
	"context"
	"fmt"
	"time"

	"github.com/argoproj/argo-cd/v3/common"
	"github.com/argoproj/gitops-engine/pkg/health"
	"github.com/argoproj/gitops-engine/pkg/sync"
	synccommon "github.com/argoproj/gitops-engine/pkg/sync/common"
	"github.com/go-logr/logr"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

type syncQuestion struct {
	desired
	Prune bool `json:"prune"`
	// Whether to wait until all is healthy, once it is synced.
	Healthy bool `json:"healthy"`
	// How long nothing may happen before it is left as it is.
	Seconds int `json:"seconds"`
}

type outcome struct {
	Phase   synccommon.OperationPhase `json:"phase"`
	Message string                    `json:"message"`
	Objects []result                  `json:"objects"`
	Waves   []wave                    `json:"waves"`
	// What Argo CD shows at the end.
	Health     map[string]health.HealthStatusCode `json:"health"`
	Comparison comparison                         `json:"comparison"`
}

// What became of an object.
type result struct {
	Object  string                `json:"object"`
	Status  synccommon.ResultCode `json:"status"`
	Message string                `json:"message"`
}

// What stood at the moment when a wave had been written.
type wave struct {
	Wave int `json:"wave"`
	// The health of the objects of the Application; a text that is empty where Argo CD knows none.
	Health map[string]health.HealthStatusCode `json:"health"`
}

// synchronize makes the cluster like Git, as `SyncAppState` of Argo CD's controller does, until it ends or nothing happens.
func synchronize(question syncQuestion) (outcome, error) {
	said := outcome{Phase: synccommon.OperationRunning, Objects: []result{}, Waves: []wave{}}
	s, err := open(question.desired)
	if err != nil {
		return said, err
	}
	started := metav1.Now()
	patience := time.Duration(question.Seconds) * time.Second
	deadline, seen, current := started.Add(patience), "", 0
	known := append([]*unstructured.Unstructured{}, s.targets...)
	var results []synccommon.ResourceSyncResult
	for {
		pairs, err := s.reconcile()
		if err != nil {
			return said, err
		}
		for _, live := range pairs.Live {
			if live != nil {
				known = append(known, live)
			}
		}
		written := func(_ synccommon.SyncPhase, number int, _ bool) error {
			current = number
			standing, err := s.standing(known)
			said.Waves = append(said.Waves, wave{number, standing})
			return err
		}
		context, cleanup, err := sync.NewSyncContext("HEAD", pairs, s.config, s.config, s.kubectl, s.namespace(),
			s.cache.GetOpenAPISchema(), append(s.options(question.Prune, started.Time),
				sync.WithInitialState(said.Phase, said.Message, results, started),
				sync.WithSyncWaveHook(written))...)
		if err != nil {
			return said, err
		}
		context.Sync()
		said.Phase, said.Message, results = context.GetState()
		cleanup()
		if now := fmt.Sprint(current, said.Message); now != seen {
			deadline, seen = time.Now().Add(patience), now
		}
		if said.Phase.Completed() || time.Now().After(deadline) {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	for _, it := range results {
		object := fmt.Sprintf("%s/%s", it.ResourceKey.Kind, it.ResourceKey.Name)
		said.Objects = append(said.Objects, result{object, it.Status, it.Message})
	}
	deadline = time.Now().Add(patience)
	for {
		if said.Health, err = s.standing(s.targets); err != nil {
			return said, err
		}
		if !question.Healthy || !said.Phase.Successful() || time.Now().After(deadline) || healthy(said.Health) {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	// What was written last may not have come back yet.
	s.cache.Invalidate()
	if s, err = open(question.desired); err != nil {
		return said, err
	}
	said.Comparison, err = s.compare()
	return said, err
}

func healthy(objects map[string]health.HealthStatusCode) bool {
	for _, status := range objects {
		if status != "" && status != health.HealthStatusHealthy {
			return false
		}
	}
	return true
}

// options are what the controller makes of those of the Application.
func (s *state) options(prune bool, started time.Time) []sync.SyncOpt {
	propagation := metav1.DeletePropagationForeground
	return []sync.SyncOpt{
		sync.WithLogr(logr.Discard()),
		sync.WithHealthOverride(s.overrides),
		sync.WithPermissionValidator(func(object *unstructured.Unstructured, resource *metav1.APIResource) error {
			if !s.project.IsGroupKindPermitted(object.GroupVersionKind().GroupKind(), resource.Namespaced) {
				return fmt.Errorf("%s is not permitted in project %s", object.GetKind(), s.project.Name)
			}
			return nil
		}),
		sync.WithOperationSettings(false, prune, false, false),
		sync.WithManifestValidation(!s.has(synccommon.SyncOptionsDisableValidation)),
		sync.WithPruneLast(s.has(synccommon.SyncOptionPruneLast)),
		sync.WithPrunePropagationPolicy(&propagation),
		sync.WithServerSideApply(s.has(synccommon.SyncOptionServerSideApply)),
		sync.WithServerSideApplyManager(common.ArgoCDSSAManager),
		sync.WithPruneConfirmed(s.application.IsDeletionConfirmed(started)),
		sync.WithSkipDryRunOnMissingResource(s.has(synccommon.SyncOptionSkipDryRunOnMissingResource)),
	}
}

// standing is the health of those objects that stand, read from the apiserver.
func (s *state) standing(objects []*unstructured.Unstructured) (map[string]health.HealthStatusCode, error) {
	found := map[string]health.HealthStatusCode{}
	for _, object := range objects {
		live, err := s.kubectl.GetResource(
			context.Background(), s.config, object.GroupVersionKind(), object.GetName(), object.GetNamespace())
		if apierrors.IsNotFound(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		status, err := health.GetResourceHealth(live, s.overrides)
		if err != nil {
			return nil, err
		}
		found[name(live)] = ""
		if status != nil {
			found[name(live)] = status.Status
		}
	}
	return found, nil
}
