package ring

import "math/bits"

// Ring maps keys to partitions and partitions to preference lists. It never
// changes after New, so any number of goroutines may use it without a lock.
type Ring struct {
	config Config
	nodes  []Node
	shift  uint    // partition = token >> shift
	stride int     // owners per partition in the table: min(MaxOwners, nodes)
	table  []int32 // partition p's list is table[p*stride : (p+1)*stride]
}

// New builds the ring of the given nodes. The order of nodes does not matter,
// except that owners are reported as indices into it. New copies nodes.
//
// Errors are *FieldError and match ErrInvalid; without nodes, ErrNoNodes.
// ErrCollision stands for a broken hash.
func New(cfg Config, nodes []Node) (*Ring, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	if err := validateNodes(cfg, nodes); err != nil {
		return nil, err
	}
	r := &Ring{
		config: cfg,
		nodes:  append([]Node(nil), nodes...),
		shift:  uint(64 - bits.TrailingZeros(uint(cfg.Partitions))),
		stride: min(MaxOwners, len(nodes)),
	}
	table, err := place(cfg, r.nodes, cfg.Hash.point)
	if err != nil {
		return nil, err
	}
	r.table = table
	return r, nil
}

// Token returns the place of a tenant's key in token space. It reads only the
// config's hash and allocates nothing within the limits of tenant ids and
// keys. Tenant and key are hashed with the tenant's length in front, so no two
// pairs share their input.
func (r *Ring) Token(tenant, key string) uint64 { return r.config.Hash.sum(tenant, key) }

// Partition returns the partition of a token, from 0 to Partitions()-1: the
// token's top bits.
func (r *Ring) Partition(token uint64) int { return int(token >> r.shift) }

// Owners returns the first n nodes of a partition's preference list, as
// indices into the slice given to New. There are fewer than n if the cluster
// has fewer nodes or n is above MaxOwners, and none if n is not positive.
//
// The slice is shared: it must not be written to, and may be kept for ever.
// Owners panics if partition is not one that Partition can return.
func (r *Ring) Owners(partition, n int) []int32 {
	n = max(0, min(n, r.stride))
	first := partition * r.stride
	return r.table[first : first+n : first+n]
}

// Partitions returns the number of partitions.
func (r *Ring) Partitions() int { return r.config.Partitions }

// Nodes returns the number of nodes.
func (r *Ring) Nodes() int { return len(r.nodes) }

// Config returns the config with its defaults filled in.
func (r *Ring) Config() Config { return r.config }

// PartitionRange returns the first and the last token of a partition, both
// inclusive.
func (r *Ring) PartitionRange(p int) (first, last uint64) {
	first = uint64(p) << r.shift
	return first, first + (1<<r.shift - 1)
}
