package postgres_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/internal/testservers"
	"github.com/devrev/pairdb/topology/postgres"
)

// Watch has read the topology, the server goes, and only then would the listener connect.
func TestADatabaseThatIsLostBeforeItIsListenedToIsAnErrorForWhoWaits(t *testing.T) {
	server := testservers.NewPostgres(t)
	url, err := server.CreateDatabase(t.Context())
	require.NoError(t, err)
	var armed atomic.Bool
	pool := testservers.NewPool(t, url, func(c *pgxpool.Config) {
		c.BeforeConnect = func(context.Context, *pgx.ConnConfig) error {
			if armed.Load() {
				return errors.Join(errors.New("too late"), server.Stop())
			}
			return nil
		}
	})
	s := storeOn(t, pool, postgres.PollEvery(never))
	require.NoError(t, s.Migrate(t.Context()))
	require.NoError(t, s.Create(t.Context(), sample()))
	armed.Store(true)
	require.Error(t, soon(t, watch(t, s, sample().Epoch)).err)
}
