package postgres

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/devrev/pairdb/internal/postgres"
	"github.com/devrev/pairdb/tenant"
)

// fields are the columns that decode reads.
const fields = "id, replicas, read_level, write_level, policy, max_value_bytes, version, created, updated"

// attempts bounds how often a statement is repeated that another one at the same time undid,
// which takes a pool whose connections begin with an isolation level above read committed.
const attempts = 5

// prepare writes the statements. The changing ones tell of the change in the same step, so that it
// is told if and only if it was made.
func (s *Store) prepare() {
	sql := func(text string) string { return postgres.SQL(s.schema, text) }
	told := func(change string) string {
		text := "WITH changed AS (" + change + " RETURNING " + fields + ") SELECT " + fields
		if s.notify {
			text += ", pg_notify('" + channel + "', id)::text AS told"
		}
		return sql(text + " FROM changed")
	}
	s.get = sql("SELECT " + fields + " FROM {pairdb_tenants} WHERE id = $1::text AND deleted IS NULL")
	s.list = sql("SELECT " + fields + ` FROM {pairdb_tenants} WHERE id COLLATE "C" > $1::text AND deleted IS NULL
		ORDER BY id COLLATE "C" LIMIT $2::bigint`)
	s.create = told(`INSERT INTO {pairdb_tenants} (` + fields + `)
		VALUES ($1::text, $2::integer, $3::text, $4::text, $5::text, $6::bigint, 1, now(), now())
		ON CONFLICT (id) DO NOTHING`)
	s.update = told(`UPDATE {pairdb_tenants} SET read_level = $4::text, write_level = $5::text,
		max_value_bytes = $6::bigint, version = version + 1, updated = greatest(updated, now())
		WHERE id = $1::text AND version = $2::bigint AND deleted IS NULL
		AND replicas = $3::integer AND policy = $7::text`)
	s.remove = told(`UPDATE {pairdb_tenants} SET deleted = now(), version = version + 1, updated = greatest(updated, now())
		WHERE id = $1::text AND version = $2::bigint AND deleted IS NULL`)
}

// Create implements tenant.Store.
func (s *Store) Create(ctx context.Context, c tenant.Config) (tenant.Config, error) {
	c, err := tenant.Creation(c, time.Time{})
	if err != nil {
		return tenant.Config{}, err
	}
	for range attempts {
		var kept []tenant.Config
		kept, err = s.query(ctx, s.create, c.ID, c.Replicas, c.Read.String(), c.Write.String(),
			policyName(c.Policy), c.Limits.MaxValueBytes)
		if err == nil && len(kept) == 0 {
			return tenant.Config{}, fmt.Errorf("tenant %q: %w", c.ID, tenant.ErrExists)
		}
		if err == nil {
			return kept[0], nil
		}
		if !postgres.IsRetryable(err) {
			break
		}
	}
	return tenant.Config{}, s.explain(ctx, fmt.Sprintf("create tenant %q", c.ID), err)
}

// Update implements tenant.Store.
func (s *Store) Update(ctx context.Context, c tenant.Config) (tenant.Config, error) {
	if _, err := tenant.Change(c, c, time.Time{}); err != nil {
		return tenant.Config{}, err
	}
	return s.change(ctx, fmt.Sprintf("update tenant %q", c.ID), c.ID, c.Version, s.update,
		[]any{c.Replicas, c.Read.String(), c.Write.String(), c.Limits.MaxValueBytes, policyName(c.Policy)},
		func(has tenant.Config) error {
			_, err := tenant.Change(has, c, time.Time{})
			return err
		})
}

// Delete implements tenant.Store.
func (s *Store) Delete(ctx context.Context, id string, version uint64) error {
	if err := tenant.ValidID(id); err != nil {
		return err
	}
	_, err := s.change(ctx, fmt.Sprintf("delete tenant %q", id), id, version, s.remove, nil,
		func(has tenant.Config) error { return tenant.Removal(has, version) })
	return err
}

// change runs a statement that changes the tenant if it has the given version. Where it changed nothing, why says
// what is against it, from the tenant as it is.
func (s *Store) change(ctx context.Context, doing, id string, version uint64, sql string, args []any,
	why func(has tenant.Config) error,
) (tenant.Config, error) {
	err := errors.New("other changes came first each time")
	for range attempts {
		var kept []tenant.Config
		var failed error
		if version <= math.MaxInt64 { // else no row can have it
			kept, failed = s.query(ctx, sql, append([]any{id, version}, args...)...)
		}
		if len(kept) > 0 && failed == nil {
			return kept[0], nil
		}
		if failed != nil {
			err = failed
			if !postgres.IsRetryable(failed) && !postgres.IsAltered(failed) {
				break
			}
		}
		has, unread := s.Get(ctx, id)
		if unread != nil {
			return tenant.Config{}, unread
		}
		if reason := why(has); reason != nil {
			return tenant.Config{}, reason
		}
	}
	return tenant.Config{}, s.explain(ctx, doing, err)
}
