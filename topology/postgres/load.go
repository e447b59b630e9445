package postgres

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/devrev/pairdb/internal/postgres"
	"github.com/devrev/pairdb/ring"
	"github.com/devrev/pairdb/topology"
)

type statements struct {
	load, lock               string
	create, raise, put, drop string
}

// prepare writes the statements.
func (s *Store) prepare() {
	sql := func(text string) string { return postgres.SQL(s.schema, text) }
	s.sql = statements{
		// The nodes are in the order of their ids, which is that of an error's indexes.
		load: sql(`SELECT c.epoch, c.partitions, c.hash, n.id, n.addr, n.zone, n.weight, n.state, n.store_id
			FROM {pairdb_clusters} c LEFT JOIN {pairdb_nodes} n ON n.cluster = c.cluster
			WHERE c.cluster = $1::text ORDER BY n.id`),
		lock: sql(`SELECT 1 FROM {pairdb_clusters} WHERE cluster = $1::text FOR UPDATE`),
		create: sql(`INSERT INTO {pairdb_clusters} (cluster, epoch, partitions, hash, updated)
			VALUES ($1::text, $2::bigint, $3::integer, $4::text, now()) ON CONFLICT (cluster) DO NOTHING`),
		raise: sql(`UPDATE {pairdb_clusters} SET epoch = $2::bigint, updated = now() WHERE cluster = $1::text`),
		put: sql(`INSERT INTO {pairdb_nodes} (cluster, id, addr, zone, weight, state, store_id)
			VALUES ($1::text, $2::text, $3::text, $4::text, $5::double precision, $6::text, $7::text)
			ON CONFLICT (cluster, id) DO UPDATE SET addr = excluded.addr, zone = excluded.zone,
			weight = excluded.weight, state = excluded.state, store_id = excluded.store_id`),
		drop: sql(`DELETE FROM {pairdb_nodes} WHERE cluster = $1::text AND id = $2::text`),
	}
}

// load reads the topology and checks it (invariant 2). The error is ErrNotFound, topology.ErrInvalid, or the
// server's as it came.
func (s *Store) load(ctx context.Context, q postgres.Querier) (*topology.Topology, error) {
	var t *topology.Topology
	err := postgres.Each(ctx, q, s.sql.load, []any{s.cluster}, func(r postgres.Row) (err error) {
		if t == nil {
			if t, err = s.clusterRow(r); err != nil {
				return err
			}
		}
		if r.Null("id") {
			return nil // a cluster without nodes, which Validate refuses
		}
		if len(t.Nodes) == topology.MaxNodes {
			return fmt.Errorf("%w: pairdb_nodes has more than %d rows of cluster %q", topology.ErrInvalid, topology.MaxNodes, s.cluster)
		}
		n, err := s.nodeRow(r)
		t.Nodes = append(t.Nodes, n)
		return err
	})
	switch {
	case err != nil:
		return nil, err
	case t == nil:
		return nil, ErrNotFound
	}
	if err := t.Validate(); err != nil {
		return nil, s.blame(t, err)
	}
	return t, nil
}

// blame names the row that is wrong on its own account, if there is one.
func (s *Store) blame(t *topology.Topology, err error) error {
	for _, n := range t.Nodes {
		alone := topology.Topology{Cluster: t.Cluster, Epoch: t.Epoch, Nodes: []topology.Node{n}}
		if err := alone.Validate(); err != nil {
			return s.damaged("pairdb_nodes", fmt.Sprintf(", id %.64q", n.ID), err)
		}
	}
	return s.damaged("pairdb_clusters and pairdb_nodes", "", err)
}

func (s *Store) clusterRow(r postgres.Row) (*topology.Topology, error) {
	t := &topology.Topology{Cluster: s.cluster}
	epoch, err := r.Int("epoch")
	if err == nil && epoch < 1 {
		err = postgres.Wrong("epoch", "%d is below 1", epoch)
	}
	partitions, wrong := r.Int("partitions")
	if wrong == nil && partitions < 1 {
		wrong = postgres.Wrong("partitions", "%d is below 1", partitions)
	}
	err = errors.Join(err, wrong)
	name, wrong := r.Text("hash")
	if wrong == nil {
		if t.Hash, wrong = ring.ParseHash(name); wrong != nil {
			wrong = postgres.Wrong("hash", "%.64q is no hash", name)
		}
	}
	if err = errors.Join(err, wrong); err != nil {
		return nil, s.damaged("pairdb_clusters", "", err)
	}
	t.Epoch, t.Partitions = uint64(epoch), int(partitions) //nolint:gosec // checked above
	return t, nil
}

func (s *Store) nodeRow(r postgres.Row) (n topology.Node, err error) {
	var errs []error
	text := func(column string) string {
		v, err := r.Text(column)
		errs = append(errs, err)
		return v
	}
	id := text("id")
	n.ID, n.Addr, n.Zone = topology.NodeID(id), text("addr"), text("zone")
	n.Weight, err = r.Float("weight")
	if err == nil && n.Weight == 0 { // which in Go is the default
		err = postgres.Wrong("weight", "is 0")
	}
	errs = append(errs, err)
	if state, err := r.Text("state"); err != nil {
		errs = append(errs, err)
	} else if n.State, err = topology.ParseNodeState(state); err != nil {
		errs = append(errs, postgres.Wrong("state", "%.64q is neither active nor draining", state))
	}
	n.StoreID, err = storeID(r)
	if err := errors.Join(append(errs, err)...); err != nil {
		return topology.Node{}, s.damaged("pairdb_nodes", fmt.Sprintf(", id %.64q", id), err)
	}
	return n, nil
}

// storeID reads hex text: the 64 bits have no number type in SQL, and people read hex elsewhere too.
func storeID(r postgres.Row) (uint64, error) {
	if r.Null("store_id") {
		return 0, nil
	}
	text, err := r.Text("store_id")
	if err != nil {
		return 0, err
	}
	id, err := strconv.ParseUint(text, 16, 64)
	if err != nil || id == 0 || len(text) != 16 {
		return 0, postgres.Wrong("store_id", "%.64q is not 16 hex digits, with one that is not 0", text)
	}
	return id, nil
}

func (s *Store) damaged(table, row string, err error) error {
	return fmt.Errorf("%w: %s, cluster %q%s: %w", topology.ErrInvalid, table, s.cluster, row, err)
}
