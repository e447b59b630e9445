package pairdb_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/devrev/pairdb"
	"github.com/devrev/pairdb/internal/testservers"
	"github.com/devrev/pairdb/pairdbtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(testservers.Tests{M: m}) }

// A world is a cluster of three and a client whose connections are up.
type world struct {
	*pairdbtest.Cluster
	t      *testing.T
	client *pairdb.Client
	shop   *pairdb.Tenant
}

// inBubble runs f in a world of its own, in virtual time.
func inBubble(t *testing.T, f func(t *testing.T, w *world), opts ...pairdb.Option) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { f(t, newWorld(t, pairdbtest.New(t, 3), opts...)) })
}

func newWorld(t *testing.T, c *pairdbtest.Cluster, opts ...pairdb.Option) *world {
	t.Helper()
	client := c.Client(t, opts...)
	require.NoError(t, client.Ready(soon(t)))
	synctest.Wait()
	return &world{Cluster: c, t: t, client: client, shop: client.Tenant("shop")}
}

// put writes, and waits until all owners that can be reached have it.
func (w *world) put(key, value string, opts ...pairdb.WriteOption) pairdb.Receipt {
	w.t.Helper()
	r, err := w.shop.Put(w.t.Context(), key, []byte(value), opts...)
	require.NoError(w.t, err)
	synctest.Wait()
	return r
}

func (w *world) get(key string, opts ...pairdb.ReadOption) pairdb.Object {
	w.t.Helper()
	obj, err := w.shop.Get(w.t.Context(), key, opts...)
	require.NoError(w.t, err)
	return obj
}

// values are the key's live siblings, oldest first.
func (w *world) values(key string) []string {
	w.t.Helper()
	obj, err := w.shop.Get(w.t.Context(), key)
	if !errors.Is(err, pairdb.ErrNotFound) {
		require.NoError(w.t, err)
	}
	var live []string
	for _, s := range obj.Siblings {
		if !s.Deleted {
			live = append(live, string(s.Value))
		}
	}
	return live
}

// holders are the nodes that hold the value as the key's only sibling.
func (w *world) holders(key, value string) (n int) {
	for _, node := range w.Nodes() {
		if s, ok := node.State("shop", key); ok && len(s.Siblings) == 1 && string(s.Siblings[0].Value) == value {
			n++
		}
	}
	return n
}

// sent is how many operations the client has handed to its streams.
func (w *world) sent() (n uint64) {
	for _, node := range w.client.Stats().Nodes {
		n += node.Sent
	}
	return n
}

// applied is how many writes of clients the nodes have applied together.
func (w *world) applied() (n int) {
	for _, node := range w.Nodes() {
		n += len(node.Applied())
	}
	return n
}

// requireOneOutcome checks what holds for every error of a write.
func requireOneOutcome(t *testing.T, err, outcome error) {
	t.Helper()
	require.ErrorIs(t, err, outcome)
	require.NotEqual(t, errors.Is(err, pairdb.ErrNotApplied), errors.Is(err, pairdb.ErrUnknown), "%v", err)
}

// requireNoOutcome checks what holds for every error of a read.
func requireNoOutcome(t *testing.T, err error) {
	t.Helper()
	require.Error(t, err)
	require.NotErrorIs(t, err, pairdb.ErrNotApplied)
	require.NotErrorIs(t, err, pairdb.ErrUnknown)
}

// A request is one call of an entry point.
type request struct {
	name  string
	write bool
	call  func(ctx context.Context, t *pairdb.Tenant, key string) error
}

// requests are all ways to ask something of a tenant's key.
var requests = []request{
	{"get", false, func(ctx context.Context, t *pairdb.Tenant, key string) error {
		_, err := t.Get(ctx, key)
		return err
	}},
	{"get many", false, func(ctx context.Context, t *pairdb.Tenant, key string) error {
		return t.GetMany(ctx, []string{key}).FirstErr()
	}},
	{"put", true, func(ctx context.Context, t *pairdb.Tenant, key string) error {
		_, err := t.Put(ctx, key, []byte("v"))
		return err
	}},
	{"put without context", true, func(ctx context.Context, t *pairdb.Tenant, key string) error {
		_, err := t.Put(ctx, key, []byte("v"), pairdb.NoContext())
		return err
	}},
	{"put many", true, func(ctx context.Context, t *pairdb.Tenant, key string) error {
		return t.PutMany(ctx, []pairdb.Item{{Key: key, Value: []byte("v")}}).FirstErr()
	}},
	{"delete", true, func(ctx context.Context, t *pairdb.Tenant, key string) error {
		_, err := t.Delete(ctx, key)
		return err
	}},
	{"update", true, func(ctx context.Context, t *pairdb.Tenant, key string) error {
		_, err := t.Update(ctx, key, func(pairdb.Object) ([]byte, error) { return []byte("v"), nil })
		return err
	}},
}

// eachRequest runs f for every request. Its errors carry not applied if they are of
// a write, and no outcome if they are of a read.
func eachRequest(t *testing.T, f func(t *testing.T, r request) error) {
	t.Helper()
	for _, r := range requests {
		t.Log(r.name) // no subtest can run in a bubble
		err := f(t, r)
		if r.write {
			requireOneOutcome(t, err, pairdb.ErrNotApplied)
		} else {
			requireNoOutcome(t, err)
		}
	}
}

// soon is a context for what has to end by itself: a test that waits for ever
// says less than one that fails.
func soon(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	t.Cleanup(cancel)
	return ctx
}
