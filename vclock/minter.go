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
	slots       slotIndex
	entries     mintedList       // listed are those without a write in flight, latest first
	others      map[slot][]Stamp // lanes 1, 2, … of the entries that use them; 0 is a lane without a dot
	free        []slot           // of entries forgotten
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
// with a write in flight; its memory is that of the most keys at once. random must return evenly distributed numbers that
// differ between processes; it is called for each fresh block.
func NewMinter(capacity int, random func() uint64) *Minter {
	m := &Minter{
		capacity: max(capacity, 1),
		random:   random,
		entries:  make(mintedList, 1),
		others:   make(map[slot][]Stamp),
		lanes:    Lanes,
	}
	m.block = m.freshBlock(nil, 0)
	m.generations = 0
	return m
}

// A Pin keeps a key's entry in its Minter until it is given to Release. The zero Pin is none.
type Pin struct {
	at  slot
	key KeyHash
}

// Mint returns the dot of a write to k whose context is ctx. s is a stamp of the
// caller's HLC, not zero. The dot is not covered by ctx, and no other call
// returns it. Until the Pin is released, k's entry is kept.
func (m *Minter) Mint(k KeyHash, ctx Clock, s Stamp) (Dot, Pin) {
	at := m.slots.find(k, m.entries)
	if at == 0 {
		at = m.remember(k, ctx)
	} else if m.entries[at].pins == 0 {
		m.entries.remove(at)
	}
	e := &m.entries[at]
	e.pins++

	var others []Stamp
	if e.more {
		others = m.others[at]
	}
	lane, ok := m.lane(e, others, ctx, s)
	if !ok {
		m.leave(at)
		e.block, lane = m.freshBlock(ctx, e.block), 0
	}
	m.take(at, lane, s)
	return Dot{Actor: e.block + Actor(lane), Stamp: s}, Pin{at, k}
}

// Release ends the protection that one Mint gave to a key's entry. It panics where
// that has ended: an entry forgotten too early would break invariant 1 unseen.
func (m *Minter) Release(p Pin) {
	e := &m.entries[p.at] // where it stays while it is pinned
	if e.pins == 0 || e.key != p.key {
		panic("vclock: Release without Mint")
	}
	e.pins--
	if e.pins > 0 {
		return
	}
	m.entries.pushFront(p.at)
	if m.slots.n > m.capacity {
		m.free = append(m.free, m.forget())
	}
}

// Len returns the number of keys remembered.
func (m *Minter) Len() int { return m.slots.n }

// Generations returns how many fresh blocks m has made up since it began, the
// first not counted.
func (m *Minter) Generations() int { return m.generations }

func (m *Minter) remember(k KeyHash, ctx Clock) slot {
	at := m.room()
	e := &m.entries[at]
	*e = minted{key: k, block: m.block, shared: m.block}
	if ctx.knowsBlock(m.block) {
		// Not from here: this key has no write under the block. Somebody forged the
		// context, or drew the same block; leave it to them.
		e.block, e.shared = m.freshBlock(ctx, 0), 0
	}
	m.slots.add(k, at)
	return at
}

// room returns a slot for one more entry, another's if the memory is full.
func (m *Minter) room() slot {
	if m.slots.n >= m.capacity {
		if at := m.forget(); at != 0 {
			return at
		}
	}
	if n := len(m.free); n > 0 {
		at := m.free[n-1]
		m.free = m.free[:n-1]
		return at
	}
	m.entries = append(m.entries, minted{})
	return slot(len(m.entries) - 1)
}

// forget drops the entry that has been idle for longest and returns its slot;
// none if every entry has a write in flight.
func (m *Minter) forget() slot {
	at := m.entries.back()
	if at == 0 {
		return 0
	}
	m.entries.remove(at)
	m.leave(at)
	e := &m.entries[at]
	m.slots.drop(e.key, at)
	if e.shared == m.block && m.off&generationRule == 0 {
		m.block = m.freshBlock(nil, 0)
	}
	return at
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
