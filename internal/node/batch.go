package node

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/devrev/pairdb/internal/wire"
	"github.com/devrev/pairdb/storagepb"
	"github.com/devrev/pairdb/vclock"
)

// A batch is the memory that the operations of one frame share, with the frame and their answers: an allocation for
// each of them would be most of what they cost. Engines and caches copy what they keep.
//
// It may be used again, by an exchange, once every reply that refers to it has been released and the receiver has
// done with it.
type batch struct {
	left atomic.Int32 // who holds it, once hold was called

	frame   wire.OperationsFrame
	ops     []*wire.Operation
	answers []wire.Answer
	used    int // of answers
	arena   []byte
	spilled int // bytes in arenas before
	slab    vclock.Slab
	keys    []opKey // of ops

	use  func(value []byte) error // take
	kind storagepb.Kind           // of read: how much take is to decode
	has  held                     // what it decoded
	// merge is for what take is called; nil is a read.
	merge *merge

	cache     *stateCache // where take puts what the engine lends; nil is nowhere
	engineKey []byte      // under which key
}

var batches = sync.Pool{New: func() any { return new(batch) }}

// hold makes the batch one that is held by each of the operations' replies, and by the caller.
func (b *batch) hold(ops int) { b.left.Store(int32(ops) + 1) } //nolint:gosec // at most maxFrameOps

// done ends so many holds.
func (b *batch) done(n int) {
	if b.left.Add(-int32(n)) == 0 { //nolint:gosec // as above
		b.reset()
		batches.Put(b)
	}
}

func (b *batch) reset() {
	if cap(b.answers) > maxKept || cap(b.arena)+b.spilled > maxKeptBytes {
		*b = batch{}
		return
	}
	clear(b.answers[:b.used])
	b.used = 0
	clear(b.ops)
	clear(b.keys)
	b.ops, b.keys = b.ops[:0], b.keys[:0]
	wire.Poison(b.arena)
	if b.spilled > 0 {
		b.arena = make([]byte, 0, 2*(b.spilled+len(b.arena)))
	}
	b.arena, b.spilled = b.arena[:0], 0
	b.slab.Reset()
	b.kind, b.has, b.merge, b.cache, b.engineKey = 0, held{}, nil, nil, nil
}

// expect makes room for the answers to n operations.
func (b *batch) expect(n int) {
	if len(b.answers)-b.used < n {
		b.answers, b.used = make([]wire.Answer, n), 0
	}
}

// answer returns the next answer, to be filled in.
func (b *batch) answer(id uint64, status storagepb.Status) *wire.Answer {
	if b.used == len(b.answers) {
		return &wire.Answer{Id: id, Status: status}
	}
	a := &b.answers[b.used]
	b.used++
	a.Id, a.Status = id, status
	return a
}

// arenaBytes is how much of the arena is allocated at a time.
const arenaBytes = 8 << 10

// bytes returns room for up to n bytes.
func (b *batch) bytes(n int) []byte {
	if cap(b.arena)-len(b.arena) < n {
		b.spilled += len(b.arena)
		b.arena = make([]byte, 0, max(n, arenaBytes))
	}
	begin := len(b.arena)
	b.arena = b.arena[:begin+n]
	return b.arena[begin : begin : begin+n]
}

// An opKey is an operation's key in the engine, and where to look for it.
type opKey struct {
	key   []byte
	token uint64
	shelf *shelf // and hash: of fetch
	hash  uint64
}

func (k *opKey) stripe() int { return stripeOf(k.token) }

// name makes the keys of operations, but for those that are too long, which are refused.
func (b *batch) name(ops []*wire.Operation) {
	b.keys = slices.Grow(b.keys[:0], len(ops))[:len(ops)]
	for i, op := range ops {
		if len(op.Tenant) > MaxTenantBytes || len(op.Key) > MaxKeyBytes {
			b.keys[i] = opKey{}
			continue
		}
		key, token := appendKey(b.bytes(tokenBytes+len(op.Tenant)+1+len(op.Key)), op.Tenant, op.Key)
		b.keys[i] = opKey{key: key, token: token}
	}
}

// clone copies what an engine has lent.
func (b *batch) clone(value []byte) []byte { return append(b.bytes(len(value)), value...) }
