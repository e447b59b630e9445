package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/devrev/pairdb/internal/postgres"
	"github.com/devrev/pairdb/topology"
)

// attempts bounds how often a transaction is repeated that the server undid because of another one.
const attempts = 5

// Create keeps the first topology of the cluster, whatever its epoch. The error is ErrExists, topology.ErrInvalid,
// or the server's.
func (s *Store) Create(ctx context.Context, t topology.Topology) error {
	const doing = "create"
	if err := checkFirst(s.cluster, &t); err != nil {
		return s.explain(ctx, doing, err)
	}
	partitions := t.Partitions
	if partitions == 0 {
		partitions = topology.DefaultPartitions
	}
	return s.inOneStep(ctx, doing, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, s.sql.create, s.cluster, t.Epoch, partitions, t.Hash.String())
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return ErrExists
		}
		return s.write(ctx, tx, &topology.Topology{}, &t)
	})
}

// Update puts t in force, whose epoch is one more than the one that is kept. A node's StoreID of 0 leaves the one that
// was recorded; another one accepts that store, as AcceptStore does.
//
// Errors: ErrEpoch (an *EpochError) for any other epoch, ErrMoves for a change that would give any key other owners,
// whether keys are known to have been written or not (the package comment says which do), ErrNotFound,
// topology.ErrInvalid, or the server's, after which it cannot be known whether t is in force.
func (s *Store) Update(ctx context.Context, t topology.Topology) error {
	return s.change(ctx, "update", func(has *topology.Topology) (*topology.Topology, error) { return follow(has, &t) })
}

// UpdateEmpty is Update for a first topology that has to be another one: nodes, zones and weights may change too. It
// is an operator's word that no key of any tenant has been written, and that no client is open; the database knows
// neither. A key that was written has other owners from then on, who do not have it: it is not found, though its
// write was acknowledged. A client that is open refuses such a topology, says so to its hooks, and goes on with the
// former owners: what it writes is not found by clients that start later, nor what they write by it.
//
// Errors: those of Update but ErrMoves, and ErrInUse where the store id of any node is recorded, whatever t changes.
func (s *Store) UpdateEmpty(ctx context.Context, t topology.Topology) error {
	return s.change(ctx, "update the empty cluster in", func(has *topology.Topology) (*topology.Topology, error) {
		return followEmpty(has, &t)
	})
}

// AcceptStore is an operator's word that a node's store is the one that it should have, although another was
// recorded: its disk was replaced and its data rebuilt, or is known not to be needed. A node that
// lost data and is accepted too early answers "not found" for keys that exist. If it is the one that is
// recorded, nothing changes. Errors: ErrNotFound, topology.ErrInvalid (an unknown node, a store of 0 or
// of another node), or the server's.
func (s *Store) AcceptStore(ctx context.Context, node topology.NodeID, store uint64) error {
	return s.change(ctx, "accept a store in", func(has *topology.Topology) (*topology.Topology, error) {
		return withStore(has, node, store)
	})
}

// RecordStore implements topology.Recorder.
func (s *Store) RecordStore(ctx context.Context, node topology.NodeID, store uint64) error {
	const doing = "record a store in"
	decide := func(has *topology.Topology) (*topology.Topology, error) {
		if n, ok := has.Node(node); ok && n.StoreID != 0 && store != 0 {
			return nil, nil //nolint:nilnil // the topology decides
		}
		return withStore(has, node, store)
	}
	// Every client that starts calls, and all but the first find it done: they need no lock.
	has, err := s.load(ctx, s.pool)
	if err == nil {
		var next *topology.Topology
		if next, err = decide(has); err == nil && next == nil {
			return nil
		}
	}
	if err != nil {
		return s.explain(ctx, doing, err)
	}
	return s.change(ctx, doing, decide)
}

// change puts in force what decide makes of what is kept, or nothing if it makes nil (invariant 1).
func (s *Store) change(ctx context.Context, doing string, decide func(has *topology.Topology) (*topology.Topology, error)) error {
	return s.inOneStep(ctx, doing, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, s.sql.lock, s.cluster); err != nil {
			return err
		}
		has, err := s.load(ctx, tx)
		if err != nil {
			return err
		}
		next, err := decide(has)
		if err != nil || next == nil {
			return err
		}
		if _, err := tx.Exec(ctx, s.sql.raise, s.cluster, next.Epoch); err != nil {
			return err
		}
		return s.write(ctx, tx, has, next)
	})
}

// inOneStep runs do in a transaction. It is read committed whatever the connection's default, so that what is read
// after the lock was had is what its last holder has left.
func (s *Store) inOneStep(ctx context.Context, doing string, do func(pgx.Tx) error) (err error) {
	for range attempts {
		err = pgx.BeginTxFunc(ctx, s.pool, pgx.TxOptions{IsoLevel: pgx.ReadCommitted}, do)
		if !postgres.IsRetryable(err) {
			break
		}
	}
	return s.explain(ctx, doing, err)
}

// write makes the rows of nodes those of next, where they are those of has, and tells of it.
func (s *Store) write(ctx context.Context, tx pgx.Tx, has, next *topology.Topology) error {
	batch := &pgx.Batch{}
	for _, n := range has.Nodes {
		if _, stays := next.Node(n.ID); !stays {
			batch.Queue(s.sql.drop, s.cluster, string(n.ID))
		}
	}
	for _, n := range next.Nodes {
		if n.Weight == 0 {
			n.Weight = 1
		}
		if old, there := has.Node(n.ID); there && old == n {
			continue
		}
		var store *string
		if n.StoreID != 0 {
			text := fmt.Sprintf("%016x", n.StoreID)
			store = &text
		}
		batch.Queue(s.sql.put, s.cluster, string(n.ID), n.Addr, n.Zone, n.Weight, n.State.String(), store)
	}
	if s.notify {
		batch.Queue("SELECT pg_notify($1::text, $2::text)::text", channel, s.cluster)
	}
	return tx.SendBatch(ctx, batch).Close()
}
