package vclock

// A KeyHash stands for a tenant's key in a Minter. It must be wide and even
// enough that two keys never share one.
type KeyHash struct{ Hi, Lo uint64 }

// A Minter makes up a coordinator's dots so that each actor is a causal chain per
// key (invariant 1), without asking anybody. It remembers, per key that it wrote,
// the last dot of each actor that it used there:
//
//   - A write whose context covers an actor's last dot goes on with that actor.
//   - One that does not takes the next lane, an actor that the key has not used.
//   - A key out of lanes gets a fresh random block of actors for itself.
//   - A last dot is never taken back, not even when its write failed: somebody
//     may have kept it.
//   - The memory is bounded. When it forgets a key that was written under the
//     current block, keys that it does not know get a fresh one from then on.
//
// A Minter is for one process's life; a restarted one makes a fresh Minter, whose
// actors nobody has seen. The caller guards it against concurrent use.
type Minter struct {
	capacity    int
	random      func() uint64
	block       Actor // for keys without an entry
	entries     map[KeyHash]*minted
	idle        mintedList // entries without a write in flight, latest first
	generations int
	lanes       int   // Lanes; tests have fewer
	off         rules // none; tests switch some off
}

// rules are what tests may switch off, to see that the oracle misses them.
type rules uint8

const (
	laneRule rules = 1 << iota
	generationRule
)

// NewMinter returns a Minter that remembers capacity keys, at least 1, and those
// with a write in flight. random must return evenly distributed numbers that
// differ between processes; it is called for each fresh block.
func NewMinter(capacity int, random func() uint64) *Minter {
	m := &Minter{
		capacity: max(capacity, 1),
		random:   random,
		entries:  make(map[KeyHash]*minted),
		lanes:    Lanes,
	}
	m.block = m.freshBlock(nil, 0)
	m.generations = 0
	return m
}

// Mint returns the dot of a write to k whose context is ctx. s is a stamp of the
// caller's HLC, not zero. The dot is not covered by ctx, and no other call
// returns it. Until a matching Release, k's entry is kept.
func (m *Minter) Mint(k KeyHash, ctx Clock, s Stamp) Dot {
	e := m.entries[k]
	if e == nil {
		e = m.remember(k, ctx)
	} else if e.pins == 0 {
		m.idle.remove(e)
	}
	e.pins++

	lane, ok := m.lane(e, ctx, s)
	if !ok {
		e.block, e.first, e.others = m.freshBlock(ctx, e.block), 0, nil
		lane = 0
	}
	e.set(lane, s)
	return Dot{Actor: e.block + Actor(lane), Stamp: s}
}

// Release ends the protection that one Mint gave to k's entry. It panics without
// a Mint to match: an entry forgotten too early would break invariant 1 unseen.
func (m *Minter) Release(k KeyHash) {
	e := m.entries[k]
	if e == nil || e.pins == 0 {
		panic("vclock: Release without Mint")
	}
	e.pins--
	if e.pins > 0 {
		return
	}
	m.idle.pushFront(e)
	if len(m.entries) > m.capacity {
		m.forget()
	}
}

// Len returns the number of keys remembered.
func (m *Minter) Len() int { return len(m.entries) }

// Generations returns how many fresh blocks m has made up since it began, the
// first not counted.
func (m *Minter) Generations() int { return m.generations }

func (m *Minter) remember(k KeyHash, ctx Clock) *minted {
	var e *minted
	if len(m.entries) >= m.capacity {
		e = m.forget()
	}
	if e == nil {
		e = new(minted)
	}
	*e = minted{key: k, block: m.block, shared: m.block}
	if ctx.knowsBlock(m.block) {
		// Not from here: this key has no write under the block. Somebody forged the
		// context, or drew the same block; leave it to them.
		e.block, e.shared = m.freshBlock(ctx, 0), 0
	}
	m.entries[k] = e
	return e
}

// forget drops the entry that has been idle for longest and returns it for
// reuse; nil if every entry has a write in flight.
func (m *Minter) forget() *minted {
	e := m.idle.back
	if e == nil {
		return nil
	}
	m.idle.remove(e)
	delete(m.entries, e.key)
	if e.shared == m.block && m.off&generationRule == 0 {
		m.block = m.freshBlock(nil, 0)
	}
	return e
}

// freshBlock draws a block that is neither zero, nor the current one, nor left,
// nor known to ctx. It steps on from a bad draw instead of drawing again, so that it ends
// whatever random returns.
func (m *Minter) freshBlock(ctx Clock, left Actor) Actor {
	m.generations++
	block := Actor(m.random()).Block()
	for block == 0 || block == m.block || block == left || ctx.knowsBlock(block) {
		block += Lanes
	}
	return block
}

// knowsBlock reports whether c has an entry for an actor of the block.
func (c Clock) knowsBlock(block Actor) bool {
	i := c.search(block)
	return i < len(c) && c[i].Actor.Block() == block
}
