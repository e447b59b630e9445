package tenant_test

import (
	"bytes"
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/tenant"
)

// toldStore is a Store whose watch a test speaks for.
type toldStore struct {
	*scriptedStore
	changed chan func(string)
}

func (s *toldStore) Watch(ctx context.Context, changed func(string)) error {
	changed("")
	s.changed <- changed
	<-ctx.Done()
	return ctx.Err()
}

// A load reads the tenant; the watch begins anew, so that anything may have changed; the tenant is deleted
// through the cache; the load ends.
func TestALoadThatAnythingAndThenADeleteOvertookIsNotKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &toldStore{&scriptedStore{Memory: newMemory(t, tenant.Config{ID: "acme"})}, make(chan func(string), 1)}
		c := newCache(t, s, tenant.UnknownTTL(0))
		reads := make(chan struct{})
		s.script(func() { s.reads = reads })
		go func() { _, _ = c.Get(t.Context(), "acme") }()
		synctest.Wait()
		(<-s.changed)("")
		require.NoError(t, c.Delete(t.Context(), "acme", 1))
		close(reads)
		synctest.Wait()
		_, known := c.AtHand("acme")
		require.False(t, known)
	})
}

func TestAnAnswerThatIsNotBelievedIsLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		s := newScript("acme")
		s.bump("acme")
		c := newCache(t, s, tenant.LogTo(slog.New(slog.NewTextHandler(&log, nil))))
		require.Equal(t, uint64(2), version(t, c, "acme"))
		s.set(tenant.Config{ID: "acme", Replicas: 3, Version: 1})
		time.Sleep(time.Hour)
		_, err := c.Get(t.Context(), "acme")
		require.NoError(t, err)
		synctest.Wait()
		require.Contains(t, log.String(), "version 1, where version 2 was seen")
		require.Contains(t, log.String(), "tenant=acme")
	})
}
