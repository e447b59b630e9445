package postgres

import (
	"context"

	"github.com/devrev/pairdb/internal/postgres"
)

// component is the name under which the versions of the table are kept.
const component = "tenants"

// channel is notified with the id of each tenant that changes. It is one for all
// schemas of a database: to look at a tenant that has not changed harms nobody.
const channel = "pairdb_tenants"

// steps make the table; internal/postgres says what a step may be.
var steps = []string{`
CREATE TABLE {pairdb_tenants} (
	id              text COLLATE "C" PRIMARY KEY CHECK (id ~ '^[A-Za-z0-9._-]{1,128}$'),
	replicas        integer NOT NULL CHECK (replicas BETWEEN 1 AND 7),
	read_level      text NOT NULL CHECK (read_level IN ('default', 'one', 'two', 'three', 'quorum', 'all')),
	write_level     text NOT NULL CHECK (write_level IN ('default', 'one', 'two', 'three', 'quorum', 'all')),
	policy          text NOT NULL CHECK (policy IN ('causal', 'last-write-wins')),
	max_value_bytes bigint NOT NULL CHECK (max_value_bytes BETWEEN 0 AND 16777216),
	version         bigint NOT NULL CHECK (version > 0),
	created         timestamptz NOT NULL,
	updated         timestamptz NOT NULL CHECK (updated >= created),
	deleted         timestamptz
)`}

// Migrate makes the table, or brings it up to date. It may be called by any number of processes
// at once, each time that they start; where there is nothing to do it only reads. The error is
// ErrNewerSchema, or the server's.
func (s *Store) Migrate(ctx context.Context) error {
	return postgres.Migrate(ctx, s.pool, s.schema, component, steps)
}
