package postgres

import (
	"context"

	"github.com/devrev/pairdb/internal/postgres"
)

// component is the name under which the versions of the table are kept.
const component = "idempotency"

// steps make the table; internal/postgres says what a step may be.
var steps = []string{`
CREATE TABLE {pairdb_idempotency} (
	cluster text COLLATE "C" NOT NULL,
	tenant  text COLLATE "C" NOT NULL,
	key     bytea NOT NULL,
	token   bytea NOT NULL,
	record  bytea NOT NULL,
	expires timestamptz NOT NULL,
	PRIMARY KEY (cluster, tenant, key, token)
);
CREATE INDEX pairdb_idempotency_expires ON {pairdb_idempotency} (expires)`}

// Migrate makes the table, or brings it up to date. It may be called by any number of processes
// at once, each time that they start; where there is nothing to do it only reads. The error is
// ErrNewerSchema, or the server's.
func (s *Store) Migrate(ctx context.Context) error {
	return postgres.Migrate(ctx, s.pool, s.schema, component, steps)
}

// What the statements know of a record is where idempotency.AppendRecord puts what decides: its
// first two bytes (version 1, flags 0) say that it is unfinished, and bytes 3 to 18, counted from
// one, are its dot. substring fails for no bytes, however few. A record whose head is sound is not
// looked into further: who names its dot has read it whole.
const (
	whole      = `substring(r.record FROM 1 FOR 1) = '\x01'::bytea`
	unfinished = `substring(r.record FROM 1 FOR 2) = '\x0100'::bytea`
	dotOf      = `substring(r.record FROM 3 FOR 16)`
	isOurs     = `substring(excluded.record FROM 3 FOR 16) = ` + dotOf
	expired    = `r.expires <= now()`

	// Every statement that writes begins so, and answers with the record that is there when
	// it is done. now() is one moment for the whole of it. Where nothing is to be changed
	// the row is set to what it is: only so is the answer from one atomic step.
	insert = `INSERT INTO {pairdb_idempotency} AS r (cluster, tenant, key, token, record, expires)
		VALUES ($1::text, $2::text, $3::bytea, $4::bytea, $5::bytea, now() + $6::bigint * interval '1 microsecond')
		ON CONFLICT (cluster, tenant, key, token) DO UPDATE SET `

	beginSQL = insert + `
		record  = CASE WHEN ` + expired + ` THEN excluded.record ELSE r.record END,
		expires = CASE WHEN ` + expired + ` THEN excluded.expires ELSE r.expires END
		RETURNING record`

	replaceable = expired + ` OR (` + unfinished + ` AND ` + dotOf + ` = $7::bytea)`
	replaceSQL  = insert + `
		record  = CASE WHEN ` + replaceable + ` THEN excluded.record ELSE r.record END,
		expires = CASE WHEN ` + replaceable + ` THEN excluded.expires ELSE r.expires END
		RETURNING record`

	completeSQL = insert + `
		record  = CASE WHEN ` + expired + ` OR (` + unfinished + ` AND ` + isOurs + `) THEN excluded.record ELSE r.record END,
		expires = CASE WHEN ` + expired + ` OR (` + whole + ` AND ` + isOurs + `) THEN excluded.expires ELSE r.expires END
		RETURNING record`

	lookupSQL = `SELECT record FROM {pairdb_idempotency}
		WHERE cluster = $1::text AND tenant = $2::text AND key = $3::bytea AND token = $4::bytea AND expires > now()`

	// sweepSQL passes over rows that somebody is busy with, and looks at the time of each once more.
	sweepSQL = `DELETE FROM {pairdb_idempotency} AS r USING (
			SELECT cluster, tenant, key, token FROM {pairdb_idempotency}
			WHERE expires <= now() ORDER BY expires LIMIT $1::bigint FOR UPDATE SKIP LOCKED
		) AS old
		WHERE r.cluster = old.cluster AND r.tenant = old.tenant AND r.key = old.key AND r.token = old.token AND ` + expired
)
