//pairdb:needs postgres

package pairdb_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb"
	"github.com/devrev/pairdb/internal/testservers"
	"github.com/devrev/pairdb/tenant"
	tenantpg "github.com/devrev/pairdb/tenant/postgres"
)

// A row is spoilt by hand, and caches are told, while a process serves the tenant under load and another has not met it yet.
func TestASpoiltRowHarmsNoProcessThatKnowsTheTenantAndIsAClearErrorToOthers(t *testing.T) {
	b := newBackends(t, testservers.SharedPostgres(t))
	spoils := []string{
		"UPDATE pairdb_tenants SET replicas = 99 WHERE id = '%s'",
		"UPDATE pairdb_tenants SET replicas = NULL WHERE id = '%s'",
		"UPDATE pairdb_tenants SET read_level = 'most', version = 7 WHERE id = '%s'",
		"UPDATE pairdb_tenants SET write_level = repeat('x', 1000000) WHERE id = '%s'",
		"UPDATE pairdb_tenants SET policy = E'\\n\\u202e' WHERE id = '%s'",
		"UPDATE pairdb_tenants SET max_value_bytes = -1 WHERE id = '%s'",
		"UPDATE pairdb_tenants SET version = 0 WHERE id = '%s'",
		"UPDATE pairdb_tenants SET created = 'infinity' WHERE id = '%s'",
		"ALTER TABLE pairdb_tenants ALTER version TYPE text; NOTIFY pairdb_tenants, '%s'", // all rows, from here on
		"ALTER TABLE pairdb_tenants DROP policy; NOTIFY pairdb_tenants, '%s'",
		"DROP TABLE pairdb_tenants; NOTIFY pairdb_tenants, '%s'",
	}
	ids := tenantIDs(len(spoils))
	b.create(ids...)
	knows, stranger := b.process(setting{ttl: staleTTL}), b.process(setting{})
	l := startLoad(t, []*process{knows}, ids)
	b.sql(`DO $$ DECLARE c record; BEGIN
		FOR c IN SELECT conname FROM pg_constraint WHERE conrelid = 'pairdb_tenants'::regclass AND contype = 'c' LOOP
			EXECUTE format('ALTER TABLE pairdb_tenants DROP CONSTRAINT %I', c.conname);
		END LOOP; END $$`)
	b.sql("ALTER TABLE pairdb_tenants ALTER replicas DROP NOT NULL")
	for i, spoil := range spoils {
		knows.heard.forget()
		b.sql("BEGIN; " + fmt.Sprintf(spoil, ids[i]) + "; NOTIFY pairdb_tenants, '" + ids[i] + "'; COMMIT")
		eventually(t, "the tenant served past its TTL", func() bool { return knows.heard.staleCause(ids[i]) != nil })
		t.Logf("known: %v", knows.heard.staleCause(ids[i]))
		_, err := stranger.client.Tenant(ids[i]).Put(t.Context(), "k", []byte("v"))
		requireOneOutcome(t, err, pairdb.ErrNotApplied)
		require.ErrorIs(t, err, pairdb.ErrUnavailable)
		require.NotErrorIs(t, err, pairdb.ErrUnknownTenant)
		requirePrintable(t, err)
		t.Logf("not known: %v", err)
	}
	l.stop()
	require.Zero(t, l.failed.Load(), "the first: %v", l.first)
	t.Logf("%d requests of the process that knew the tenants, 0 failed", l.done.Load())
}

func TestARowThatIsMendedIsGoneBySoon(t *testing.T) {
	b := newBackends(t, testservers.SharedPostgres(t))
	b.create("shop")
	knows, stranger := b.process(setting{ttl: staleTTL}), b.process(setting{ttl: staleTTL})
	require.True(t, knows.takes(t, "shop", 100))
	kept, err := b.tenants.Get(t.Context(), "shop")
	require.NoError(t, err)

	// A valid row that breaks a promise: what is known is not given up for it.
	b.sql("UPDATE pairdb_tenants SET replicas = 2, version = 2; NOTIFY pairdb_tenants, 'shop'")
	eventually(t, "the tenant served past its TTL", func() bool {
		require.True(t, knows.takes(t, "shop", 100))
		return knows.heard.staleCause("shop") != nil
	})
	require.ErrorIs(t, knows.heard.staleCause("shop"), tenant.ErrImmutable)
	t.Log(knows.heard.staleCause("shop"))
	owners, err := knows.client.Tenant("shop").Owners("k")
	require.NoError(t, err)
	require.Len(t, owners, kept.Replicas)

	b.sql("ALTER TABLE pairdb_tenants DROP CONSTRAINT pairdb_tenants_read_level_check")
	b.sql("UPDATE pairdb_tenants SET replicas = 3, read_level = 'most'; NOTIFY pairdb_tenants, 'shop'")
	_, err = stranger.client.Tenant("shop").Get(t.Context(), "k")
	require.ErrorIs(t, err, tenantpg.ErrDamaged)
	b.sql("UPDATE pairdb_tenants SET read_level = 'one', max_value_bytes = 99, version = 3; NOTIFY pairdb_tenants, 'shop'")
	for _, p := range []*process{knows, stranger} {
		eventually(t, "the mended row", func() bool {
			c, err := p.client.Tenants().Get(t.Context(), "shop")
			return err == nil && c.Version == 3
		})
		require.False(t, p.takes(t, "shop", 100))
		require.True(t, p.takes(t, "shop", 99))
	}
}
