package pairdb_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb"
	"github.com/devrev/pairdb/idempotency"
	"github.com/devrev/pairdb/pairdbtest"
	"github.com/devrev/pairdb/storagepb"
	"github.com/devrev/pairdb/tenant"
	"github.com/devrev/pairdb/vclock"
)

var errStoreDown = errors.New("the store is down")

// brokenStore is a Store of which a test breaks single steps.
type brokenStore struct {
	idempotency.Store
	down         atomic.Bool // nothing works
	loseBegin    atomic.Bool // Begin records, and its answer is lost
	failComplete atomic.Bool
	calls        atomic.Int64
}

func newBrokenStore() *brokenStore { return &brokenStore{Store: idempotency.NewMemory(0)} }

func (s *brokenStore) Lookup(ctx context.Context, k idempotency.Key) (idempotency.Record, bool, error) {
	s.calls.Add(1)
	if s.down.Load() {
		return idempotency.Record{}, false, errStoreDown
	}
	return s.Store.Lookup(ctx, k)
}

func (s *brokenStore) Begin(ctx context.Context, k idempotency.Key, i idempotency.Intent, ttl time.Duration) (idempotency.Record, bool, error) {
	s.calls.Add(1)
	if s.down.Load() {
		return idempotency.Record{}, false, errStoreDown
	}
	rec, mine, err := s.Store.Begin(ctx, k, i, ttl)
	if err == nil && s.loseBegin.Load() {
		return idempotency.Record{}, false, errStoreDown
	}
	return rec, mine, err
}

func (s *brokenStore) Complete(ctx context.Context, k idempotency.Key, i idempotency.Intent, r idempotency.Result, ttl time.Duration) error {
	s.calls.Add(1)
	if s.down.Load() || s.failComplete.Load() {
		return errStoreDown
	}
	return s.Store.Complete(ctx, k, i, r, ttl)
}

func (s *brokenStore) Replace(ctx context.Context, k idempotency.Key, old vclock.Dot, i idempotency.Intent, ttl time.Duration) (idempotency.Record, bool, error) {
	s.calls.Add(1)
	if s.down.Load() {
		return idempotency.Record{}, false, errStoreDown
	}
	return s.Store.Replace(ctx, k, old, i, ttl)
}

// onceEvents notes what came of idempotency keys.
type onceEvents struct{ seen []pairdb.IdempotencyEvent }

func (e *onceEvents) OnIdempotency(i pairdb.Idempotency) { e.seen = append(e.seen, i.What) }

// key is the idempotency key of most tests.
func key(token string) pairdb.WriteUpdateOption { return pairdb.WithIdempotencyKey(token) }

// dots are the client writes that the nodes have applied to a key, each once.
func dots(c *pairdbtest.Cluster, key string) map[vclock.Dot]bool {
	all := map[vclock.Dot]bool{}
	for _, n := range c.Nodes() {
		for _, w := range n.Applied() {
			if string(w.Key) == key {
				all[w.Dot] = true
			}
		}
	}
	return all
}

// P7: the key has one effect, in every kind of write.
func TestARepeatedWriteReturnsTheFirstReceiptAndHasOneEffect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cluster := pairdbtest.New(t, 3)
		store := newBrokenStore()
		first := cluster.Client(t, pairdb.WithIdempotency(store)).Tenant("t")
		second := cluster.Client(t, pairdb.WithIdempotency(store)).Tenant("t")
		base, err := first.Put(t.Context(), "after", []byte("0"))
		require.NoError(t, err)
		for name, write := range map[string]func(k *pairdb.Tenant) (pairdb.Receipt, error){
			"put": func(k *pairdb.Tenant) (pairdb.Receipt, error) {
				return k.Put(t.Context(), "put", []byte("v"), key("1"))
			},
			"delete": func(k *pairdb.Tenant) (pairdb.Receipt, error) { return k.Delete(t.Context(), "delete", key("1")) },
			"after": func(k *pairdb.Tenant) (pairdb.Receipt, error) {
				return k.Put(t.Context(), "after", []byte("v"), key("1"), pairdb.After(base.Context))
			},
			"new": func(k *pairdb.Tenant) (pairdb.Receipt, error) {
				return k.Put(t.Context(), "new", []byte("v"), key("1"), pairdb.NoContext())
			},
			"update": func(k *pairdb.Tenant) (pairdb.Receipt, error) {
				return k.Update(t.Context(), "update", func(pairdb.Object) ([]byte, error) { return []byte("v"), nil }, key("1"))
			},
		} {
			r, err := write(first)
			require.NoError(t, err, name)
			require.False(t, r.Duplicate, name)
			again, err := write(second)
			require.NoError(t, err, name)
			require.True(t, again.Duplicate, name)
			require.Equal(t, r.Dot, again.Dot, name)
			require.Equal(t, r.Context, again.Context, name)
			require.Equal(t, []int{r.Acked, r.Owners}, []int{again.Acked, again.Owners}, name)
			require.Zero(t, again.RoundTrips, name)
			want := map[vclock.Dot]bool{r.Dot: true}
			if name == "after" {
				want[base.Dot] = true
			}
			require.Equal(t, want, dots(cluster, name), name)
		}
	})
}

func TestAnotherRequestUnderTheKeyIsAConflictAndChangesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cluster := pairdbtest.New(t, 3)
		var events onceEvents
		keys := cluster.Client(t, pairdb.WithIdempotency(newBrokenStore()), pairdb.WithHooks(&events)).Tenant("t")
		r, err := keys.Put(t.Context(), "k", []byte("v"), key("1"))
		require.NoError(t, err)
		for name, write := range map[string]func() error{
			"value": func() error { _, err := keys.Put(t.Context(), "k", []byte("w"), key("1")); return err },
			"expiry": func() error {
				_, err := keys.Put(t.Context(), "k", []byte("v"), key("1"), pairdb.WithTTL(time.Hour))
				return err
			},
			"context": func() error {
				_, err := keys.Put(t.Context(), "k", []byte("v"), key("1"), pairdb.After(r.Context))
				return err
			},
			"none": func() error {
				_, err := keys.Put(t.Context(), "k", []byte("v"), key("1"), pairdb.NoContext())
				return err
			},
			"delete": func() error { _, err := keys.Delete(t.Context(), "k", key("1")); return err },
			"update": func() error {
				_, err := keys.Update(t.Context(), "k", func(pairdb.Object) ([]byte, error) { panic("called") }, key("1"))
				return err
			},
		} {
			events.seen = nil
			err := write()
			require.ErrorIs(t, err, pairdb.ErrIdempotencyConflict, name)
			require.ErrorIs(t, err, pairdb.ErrNotApplied, name)
			require.False(t, pairdb.Retryable(err), name)
			require.Equal(t, []pairdb.IdempotencyEvent{pairdb.KeyConflict}, events.seen, name)
		}
		require.Len(t, dots(cluster, "k"), 1)
		_, err = keys.Put(t.Context(), "k", []byte("v"), key("1"), pairdb.AtLevel(pairdb.All), pairdb.Timeout(time.Second))
		require.NoError(t, err, "the level and the timeout are no part of the request")
		_, err = keys.Put(t.Context(), "other", []byte("w"), key("1"))
		require.NoError(t, err, "the token of another key is another")
	})
}

// A retry after its value was overwritten does not bring the old value back,
// whether or not the first call could record its result.
func TestARetryDoesNotBringAnOverwrittenValueBack(t *testing.T) {
	for name, finished := range map[string]bool{"finished": true, "unfinished": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cluster := pairdbtest.New(t, 3)
				store := newBrokenStore()
				store.failComplete.Store(!finished)
				var events onceEvents
				keys := cluster.Client(t, pairdb.WithIdempotency(store), pairdb.WithHooks(&events)).Tenant("t")
				r, err := keys.Put(t.Context(), "k", []byte("old"), key("1"))
				require.NoError(t, err, "a result that cannot be recorded does not undo the write")
				_, err = keys.Put(t.Context(), "k", []byte("new"))
				require.NoError(t, err)
				store.failComplete.Store(false)
				again, err := cluster.Client(t, pairdb.WithIdempotency(store)).Tenant("t").Put(t.Context(), "k", []byte("old"), key("1"))
				require.NoError(t, err)
				require.True(t, again.Duplicate)
				require.Equal(t, r.Dot, again.Dot)
				obj, err := keys.Get(t.Context(), "k", pairdb.AtLevel(pairdb.All))
				require.NoError(t, err)
				require.Equal(t, []string{"new"}, values(obj))
				if !finished {
					require.Equal(t, []pairdb.IdempotencyEvent{pairdb.KeyUnfinished}, events.seen)
				}
			})
		})
	}
}

// abandoned begins a Put of "v" to key "k" under token "1" that reaches the given owners alone,
// and whose caller dies: only the intent is recorded.
func abandoned(t *testing.T, cluster *pairdbtest.Cluster, store *brokenStore, tenantID string, reaches ...int) {
	t.Helper()
	owners := cluster.Owners(tenantID, "k")
	keys := cluster.Client(t, pairdb.WithIdempotency(store)).Tenant(tenantID)
	if len(reaches) == 0 {
		store.loseBegin.Store(true)
		_, err := keys.Put(t.Context(), "k", []byte("v"), key("1"))
		require.ErrorIs(t, err, pairdb.ErrNotApplied)
		require.ErrorIs(t, err, pairdb.ErrUnavailable)
		require.ErrorIs(t, err, errStoreDown)
		store.loseBegin.Store(false)
		return
	}
	reached := map[int]bool{}
	for _, i := range reaches {
		reached[i] = true
	}
	for i, n := range owners {
		if !reached[i] {
			n.RefuseWrite(1, storagepb.Status_OVERLOADED)
		}
	}
	_, err := keys.Put(t.Context(), "k", []byte("v"), key("1"))
	require.ErrorIs(t, err, pairdb.ErrUnknown)
	synctest.Wait()
	for i, n := range owners {
		_, held := n.State(tenantID, "k")
		require.Equal(t, reached[i], held)
	}
}

func TestAnUnfinishedWriteIsFinishedByWhoeverMeetsIt(t *testing.T) {
	for name, reaches := range map[string][]int{"sent to nobody": nil, "reached one": {0}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cluster := pairdbtest.New(t, 3)
				store := newBrokenStore()
				abandoned(t, cluster, store, "t", reaches...)
				var events onceEvents
				keys := cluster.Client(t, pairdb.WithIdempotency(store), pairdb.WithHooks(&events)).Tenant("t")
				r, err := keys.Put(t.Context(), "k", []byte("v"), key("1"))
				require.NoError(t, err)
				require.True(t, r.Duplicate)
				require.Equal(t, []pairdb.IdempotencyEvent{pairdb.KeyReplayed}, events.seen)
				require.Equal(t, map[vclock.Dot]bool{r.Dot: true}, dots(cluster, "k"))
				obj, err := keys.Get(t.Context(), "k")
				require.NoError(t, err)
				require.Equal(t, []string{"v"}, values(obj))
			})
		})
	}
}

// tooOld is past the write window of the nodes.
const tooOld = 11 * time.Minute

func TestAnUnfinishedWriteThatNobodyHasSeenIsReplacedOnceItIsTooOld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cluster := pairdbtest.New(t, 3)
		store := newBrokenStore()
		abandoned(t, cluster, store, "t")
		time.Sleep(tooOld)
		var events onceEvents
		keys := cluster.Client(t, pairdb.WithIdempotency(store), pairdb.WithHooks(&events)).Tenant("t")
		r, err := keys.Put(t.Context(), "k", []byte("v"), key("1"))
		require.NoError(t, err)
		require.False(t, r.Duplicate)
		require.Equal(t, []pairdb.IdempotencyEvent{pairdb.KeyReplayed, pairdb.KeyReplaced}, events.seen)
		require.Equal(t, map[vclock.Dot]bool{r.Dot: true}, dots(cluster, "k"))
		again, err := keys.Put(t.Context(), "k", []byte("v"), key("1"))
		require.NoError(t, err)
		require.Equal(t, r.Dot, again.Dot)
	})
}

func TestAnUnfinishedWriteThatSomeOwnerHasIsBroughtToTheOthersHoweverOld(t *testing.T) {
	for _, policy := range []pairdb.Policy{pairdb.Causal, pairdb.LastWriteWins} {
		t.Run(policy.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tenants, err := tenant.AnyWith(tenant.Config{Policy: policy})
				require.NoError(t, err)
				cluster := pairdbtest.New(t, 3, pairdbtest.Tenants(tenants))
				store := newBrokenStore()
				abandoned(t, cluster, store, "t", 1)
				time.Sleep(tooOld)
				var events onceEvents
				keys := cluster.Client(t, pairdb.WithIdempotency(store), pairdb.WithHooks(&events)).Tenant("t")
				r, err := keys.Put(t.Context(), "k", []byte("v"), key("1"))
				require.NoError(t, err)
				require.True(t, r.Duplicate)
				require.False(t, r.Superseded)
				require.Equal(t, []pairdb.IdempotencyEvent{pairdb.KeyReplayed, pairdb.KeySettled}, events.seen)
				require.Equal(t, map[vclock.Dot]bool{r.Dot: true}, dots(cluster, "k"))
				synctest.Wait()
				for _, n := range cluster.Owners("t", "k") {
					s, held := n.State("t", "k")
					require.True(t, held)
					require.True(t, s.Has(r.Dot))
				}
			})
		})
	}
}

func TestASettledLastWriteThatWasBeatenIsSuperseded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tenants, err := tenant.AnyWith(tenant.Config{Policy: pairdb.LastWriteWins})
		require.NoError(t, err)
		cluster := pairdbtest.New(t, 3, pairdbtest.Tenants(tenants))
		store := newBrokenStore()
		abandoned(t, cluster, store, "t")
		time.Sleep(time.Second)
		_, err = cluster.Client(t).Tenant("t").Put(t.Context(), "k", []byte("later"))
		require.NoError(t, err)
		time.Sleep(tooOld)
		keys := cluster.Client(t, pairdb.WithIdempotency(store)).Tenant("t")
		r, err := keys.Put(t.Context(), "k", []byte("v"), key("1"))
		require.NoError(t, err)
		require.True(t, r.Duplicate)
		require.True(t, r.Superseded)
		obj, err := keys.Get(t.Context(), "k")
		require.NoError(t, err)
		require.Equal(t, "later", string(obj.Value))
	})
}

func TestAnUnfinishedOldWriteIsUnknownWhileAnOwnerCannotBeAsked(t *testing.T) {
	for name, gone := range map[string]func(n *pairdbtest.Node){
		"down":     (*pairdbtest.Node).Stop,
		"amnesiac": (*pairdbtest.Node).Wipe,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cluster := pairdbtest.New(t, 3)
				store := newBrokenStore()
				abandoned(t, cluster, store, "t")
				keys := cluster.Client(t, pairdb.WithIdempotency(store)).Tenant("t")
				_, err := keys.Get(t.Context(), "k", pairdb.AtLevel(pairdb.All)) // it knows all stores
				require.ErrorIs(t, err, pairdb.ErrNotFound)
				gone(cluster.Owners("t", "k")[2])
				time.Sleep(tooOld)
				_, err = keys.Put(t.Context(), "k", []byte("v"), key("1"))
				require.ErrorIs(t, err, pairdb.ErrUnknown)
				require.ErrorIs(t, err, pairdb.ErrUnavailable)
				require.ErrorContains(t, err, "once all owners answer")
				require.Empty(t, dots(cluster, "k"))
			})
		})
	}
}
