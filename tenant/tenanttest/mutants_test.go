package tenanttest_test

import (
	"cmp"
	"context"
	"errors"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/tenant"
	"github.com/devrev/pairdb/tenant/tenanttest"
)

// mutantVariable names, in a process of its own, the mutant that the suite is run on.
const mutantVariable = "PAIRDB_TENANT_MUTANT"

// mutants are Memory with one fault each, and a case that finds it.
var mutants = map[string]struct {
	fault func(*tenant.Memory) tenant.Store
	found string
}{
	"an update does not compare the version": {
		func(m *tenant.Memory) tenant.Store {
			return mutant{Memory: m, update: func(ctx context.Context, c tenant.Config) (tenant.Config, error) {
				has, err := m.Get(ctx, c.ID)
				if err == nil {
					c.Version = has.Version
				}
				return m.Update(ctx, c)
			}}
		},
		"updates by compare-and-set lose none",
	},
	"the version is compared in a step of its own": {
		func(m *tenant.Memory) tenant.Store {
			meet := make(chan struct{})
			var mu sync.Mutex
			var last tenant.Config
			return mutant{Memory: m, update: func(ctx context.Context, c tenant.Config) (tenant.Config, error) {
				if has, err := m.Get(ctx, c.ID); err != nil || has.Version != c.Version {
					return m.Update(ctx, c)
				}
				select { // another one compares, too
				case meet <- struct{}{}:
				case <-meet:
				case <-ctx.Done():
				}
				mu.Lock()
				defer mu.Unlock()
				c.Version = max(c.Version, last.Version)
				next, err := m.Update(ctx, c)
				if err == nil {
					last = next
				}
				return next, err
			}}
		},
		"of updates of one version at once exactly one wins",
	},
	"a delete does not compare the version": {
		func(m *tenant.Memory) tenant.Store {
			return mutant{Memory: m, remove: func(ctx context.Context, id string, version uint64) error {
				if has, err := m.Get(ctx, id); err == nil {
					version = has.Version
				}
				return m.Delete(ctx, id, version)
			}}
		},
		"a delete of another version is refused, with both versions",
	},
	"a create replaces who exists": {
		func(m *tenant.Memory) tenant.Store {
			return mutant{Memory: m, create: func(ctx context.Context, c tenant.Config) (tenant.Config, error) {
				kept, err := m.Create(ctx, c)
				if errors.Is(err, tenant.ErrExists) {
					kept, err = m.Get(ctx, c.ID)
				}
				return kept, err
			}}
		},
		"a tenant that exists is not created again",
	},
	"a version conflict is another error": {
		func(m *tenant.Memory) tenant.Store {
			return mutant{Memory: m, update: func(ctx context.Context, c tenant.Config) (tenant.Config, error) {
				next, err := m.Update(ctx, c)
				if errors.Is(err, tenant.ErrVersion) {
					err = errors.New("0 rows were updated")
				}
				return next, err
			}}
		},
		"an update that is based on another version is refused, with both versions",
	},
	"a version conflict does not say what there is": {
		func(m *tenant.Memory) tenant.Store {
			return mutant{Memory: m, update: func(ctx context.Context, c tenant.Config) (tenant.Config, error) {
				next, err := m.Update(ctx, c)
				if errors.Is(err, tenant.ErrVersion) {
					err = tenant.ErrVersion
				}
				return next, err
			}}
		},
		"an update that is based on another version is refused, with both versions",
	},
	"not found is a tenant without anything": {
		func(m *tenant.Memory) tenant.Store {
			return mutant{Memory: m, get: func(ctx context.Context, id string) (tenant.Config, error) {
				c, err := m.Get(ctx, id)
				if errors.Is(err, tenant.ErrNotFound) {
					err = nil
				}
				return c, err
			}}
		},
		"who is no tenant cannot be got, updated or deleted",
	},
	"the replicas can be changed": {
		func(m *tenant.Memory) tenant.Store {
			return mutant{Memory: m, update: func(ctx context.Context, c tenant.Config) (tenant.Config, error) {
				replicas := c.Replicas
				if has, err := m.Get(ctx, c.ID); err == nil {
					c.Replicas = has.Replicas
				}
				next, err := m.Update(ctx, c)
				next.Replicas = replicas
				return next, err
			}}
		},
		"replicas and policy cannot be changed",
	},
	"the id of a deleted tenant is free again": {
		func(m *tenant.Memory) tenant.Store {
			free := make(map[string]bool)
			return mutant{
				Memory: m,
				remove: func(ctx context.Context, id string, version uint64) error {
					err := m.Delete(ctx, id, version)
					free[id] = free[id] || err == nil
					return err
				},
				create: func(ctx context.Context, c tenant.Config) (tenant.Config, error) {
					if free[c.ID] {
						return tenant.Creation(c, time.Now())
					}
					return m.Create(ctx, c)
				},
			}
		},
		"the id of a tenant that was deleted stays reserved",
	},
	"a list is in the order of a language": {
		func(m *tenant.Memory) tenant.Store {
			return mutant{Memory: m, list: func(ctx context.Context, after string, limit int) ([]tenant.Config, error) {
				page, err := m.List(ctx, after, limit)
				slices.SortFunc(page, func(a, b tenant.Config) int {
					return cmp.Or(strings.Compare(strings.ToLower(a.ID), strings.ToLower(b.ID)), strings.Compare(a.ID, b.ID))
				})
				return page, err
			}}
		},
		"a list is in the order of the ids' bytes, and has each tenant whole",
	},
	"a page begins with the one it is to begin after": {
		func(m *tenant.Memory) tenant.Store {
			return mutant{Memory: m, list: func(ctx context.Context, after string, limit int) ([]tenant.Config, error) {
				page, err := m.List(ctx, after, limit)
				if has, found := m.Get(ctx, after); err == nil && found == nil {
					page = slices.Insert(page, 0, has)
				}
				return page, err
			}}
		},
		"pages of any size hold each tenant once",
	},
	"times are in the zone of the server": {
		func(m *tenant.Memory) tenant.Store {
			return mutant{Memory: m, update: func(ctx context.Context, c tenant.Config) (tenant.Config, error) {
				next, err := m.Update(ctx, c)
				next.Updated = next.Updated.In(time.FixedZone("server", 3600))
				return next, err
			}}
		},
		"times are in UTC, and to the microsecond",
	},
	"a read is answered from what was read before": {
		func(m *tenant.Memory) tenant.Store {
			held := make(map[string]tenant.Config)
			return mutant{Memory: m, get: func(ctx context.Context, id string) (tenant.Config, error) {
				if c, ok := held[id]; ok {
					return c, nil
				}
				c, err := m.Get(ctx, id)
				if err == nil {
					held[id] = c
				}
				return c, err
			}}
		},
		"an update changes levels and limits, and counts the version up",
	},
	"a context that has ended is not looked at": {
		func(m *tenant.Memory) tenant.Store {
			return mutant{Memory: m, list: func(ctx context.Context, after string, limit int) ([]tenant.Config, error) {
				return m.List(context.WithoutCancel(ctx), after, limit)
			}}
		},
		"who asks with a context that has ended gets its error, and nothing changes",
	},
	"a delete of what is no id is not found": {
		func(m *tenant.Memory) tenant.Store {
			return mutant{Memory: m, remove: func(ctx context.Context, id string, version uint64) error {
				err := m.Delete(ctx, id, version)
				if errors.Is(err, tenant.ErrInvalid) {
					err = tenant.ErrNotFound
				}
				return err
			}}
		},
		"an id that cannot name a tenant is invalid for every method, and nothing changes",
	},
	"a watch does not begin with all": {
		func(m *tenant.Memory) tenant.Store {
			return mutant{Memory: m, watch: func(ctx context.Context, changed func(string)) error {
				return m.Watch(ctx, func(id string) {
					if id != "" {
						changed(id)
					}
				})
			}}
		},
		"a watch ends with its context, and leaves the store as it was",
	},
	"deletes are not told": {
		func(m *tenant.Memory) tenant.Store {
			return mutant{Memory: m, watch: func(ctx context.Context, changed func(string)) error {
				return m.Watch(ctx, func(id string) {
					if _, err := m.Get(ctx, id); id == "" || err == nil {
						changed(id)
					}
				})
			}}
		},
		"a watch begins with all, and tells of each change",
	},
}

// TestASuiteOnAMutant is for the processes that TestTheSuiteFindsEachMutant starts.
func TestASuiteOnAMutant(t *testing.T) {
	m, ok := mutants[os.Getenv(mutantVariable)]
	if !ok {
		t.Skip(mutantVariable + " names no mutant")
	}
	tenanttest.Run(t, func(t *testing.T) tenant.Store { return m.fault(newMemory(t).(*tenant.Memory)) })
}

func TestTheSuiteFindsEachMutant(t *testing.T) {
	self, err := os.Executable()
	require.NoError(t, err)
	for name, m := range mutants {
		t.Run(name, func(t *testing.T) {
			found := strings.ReplaceAll(m.found, " ", "_")
			run := exec.CommandContext(t.Context(), self, "-test.timeout=4s",
				"-test.run=^TestASuiteOnAMutant$/^"+regexp.QuoteMeta(found)+"$")
			run.Env = append(os.Environ(), mutantVariable+"="+name)
			out, err := run.CombinedOutput()
			var exit *exec.ExitError
			require.ErrorAs(t, err, &exit, "the suite passes:\n%s", out)
			require.Contains(t, string(out), "--- FAIL: TestASuiteOnAMutant/"+found+" ")
			require.NotContains(t, string(out), "panic:")
		})
	}
}
