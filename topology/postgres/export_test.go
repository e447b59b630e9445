package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/devrev/pairdb/topology"
)

// Force puts next in force whatever the rules say, as somebody with a SQL prompt can.
func (s *Store) Force(ctx context.Context, next topology.Topology) error {
	return s.inOneStep(ctx, "force", func(tx pgx.Tx) error {
		has, err := s.load(ctx, tx)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, s.sql.raise, s.cluster, next.Epoch); err != nil {
			return err
		}
		return s.write(ctx, tx, has, &next)
	})
}

// Channel is what is notified.
const Channel = channel

// Listening reports whether somebody waits and is told of changes.
func (s *Store) Listening() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.listener != nil
}
