package postgres

import (
	"context"

	"github.com/devrev/pairdb/internal/postgres"
)

// component is the name under which the versions of the tables are kept.
const component = "topology"

// channel is notified with the name of each cluster that changes. It is one for all schemas of a
// database: to look at a topology that has not changed harms nobody.
const channel = "pairdb_topology"

// steps make the tables; internal/postgres says what a step may be.
var steps = []string{`
CREATE TABLE {pairdb_clusters} (
	cluster    text COLLATE "C" PRIMARY KEY CHECK (cluster ~ '^[A-Za-z0-9._-]{1,64}$'),
	epoch      bigint NOT NULL CHECK (epoch > 0),
	partitions integer NOT NULL CHECK (partitions > 0),
	hash       text NOT NULL CHECK (hash IN ('xxhash64', 'sha256')),
	updated    timestamptz NOT NULL
);
CREATE TABLE {pairdb_nodes} (
	cluster  text COLLATE "C" NOT NULL REFERENCES {pairdb_clusters} (cluster),
	id       text COLLATE "C" NOT NULL CHECK (id ~ '^[A-Za-z0-9._-]{1,64}$'),
	addr     text NOT NULL,
	zone     text NOT NULL,
	weight   double precision NOT NULL CHECK (weight > 0),
	state    text NOT NULL CHECK (state IN ('active', 'draining')),
	store_id text CHECK (store_id ~ '^[0-9a-f]{16}$'),
	PRIMARY KEY (cluster, id)
)`}

// Migrate makes the tables, or brings them up to date. It may be called by any number of processes
// at once, each time that they start; where there is nothing to do it only reads. The error is
// ErrNewerSchema, or the server's.
func (s *Store) Migrate(ctx context.Context) error {
	return postgres.Migrate(ctx, s.pool, s.schema, component, steps)
}
