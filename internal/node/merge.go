package node

import (
	"bytes"
	"errors"
	"slices"
	"time"

	"github.com/devrev/pairdb/internal/wire"
	"github.com/devrev/pairdb/storagepb"
	"github.com/devrev/pairdb/vclock"
)

// A merge is one MERGE on its way through a batch.
type merge struct {
	op  *wire.Operation
	key *opKey

	answer  *wire.Answer
	until   proof // of the key's state, and of the floor that a refusal for age relies on
	policy  vclock.Policy
	first   bool // applies a client's dot that the node had not seen
	latched bool // the answer was derived from the key's state
}

// sent is what m is to join into the key's state.
func (m *merge) sent() *vclock.State { return &m.op.State }

// dot is that of a client's write.
func (m *merge) dot() vclock.Dot { return m.op.State.Siblings[0].Dot }

// held is what the node has for a key, the batch under way included.
type held struct {
	policy vclock.Policy
	found  bool
	// replaced says that the merge replaces wholly what is held (vclock.Replaces): state is left out, and empty.
	replaced bool
	state    vclock.State
}

// A change is a state that the batch will write.
type change struct {
	key *opKey
	held
}

// changes gather for one Apply, at most one per key, in the order of stripes.
type changes struct {
	list  []change
	bytes int // of their states
}

// find returns the change of m's key. Batches are sorted by stripe, so it is
// among the last ones.
func (g *changes) find(m *merge) *change {
	for i := len(g.list) - 1; i >= 0; i-- {
		switch k := g.list[i].key; {
		case k.stripe() != m.key.stripe():
			return nil
		case k.token == m.key.token && bytes.Equal(k.key, m.key.key):
			return &g.list[i]
		}
	}
	return nil
}

// put takes what came of m, in place of the earlier change of its key, if there is one.
func (g *changes) put(m *merge, earlier *change, joined *vclock.State) {
	g.bytes += joined.Size()
	if earlier == nil {
		g.list = append(g.list, change{key: m.key})
		earlier = &g.list[len(g.list)-1]
	}
	g.bytes -= earlier.state.Size()
	earlier.held = held{policy: m.policy, found: true, state: *joined}
}

// merge joins a batch into the engine, by one Apply unless it is large, and adds its outcomes.
func (c *Core) merge(w *workspace, mem *batch, received time.Time, out *outcomes) {
	w.sort()
	c.latches.lock(w.stripes)
	at := c.moment() // a fresh reading, under the latches
	c.mergeLatched(w, mem, received, at)
	c.latches.unlock(w.stripes)
	c.report(at)

	for _, at := range w.order {
		m := w.at(at)
		if m.first && m.answer.Status == storagepb.Status_OK && c.config.Audit != nil {
			c.config.Audit(m.op.Tenant, m.op.Key, m.dot())
		}
		out.add(m.op, m.answer, m.until)
	}
}

// An inOrder is a merge's place among those of its batch: by stripes, those of one stripe as they came.
type inOrder uint64

func (w *workspace) at(o inOrder) *merge { return &w.merges[uint32(o)] } //nolint:gosec // the index

// sort puts the merges' places into order, and lists their stripes.
func (w *workspace) sort() {
	for i := range w.merges {
		w.order = append(w.order, inOrder(w.merges[i].key.stripe())<<32|inOrder(i)) //nolint:gosec // both are small
	}
	slices.Sort(w.order)
	for _, o := range w.order {
		stripe := int(o >> 32) //nolint:gosec // as above
		if n := len(w.stripes); n == 0 || w.stripes[n-1] != stripe {
			w.stripes = append(w.stripes, stripe)
		}
	}
}

// batchBytes bounds the states that gather for one Apply, by about the largest of
// them: a small write beside a large value reads and writes them both, so the
// bytes that arrived are no measure.
const batchBytes = 16 << 20

// mergeLatched joins and applies under the batch's latches, and tells what each answer waits for.
func (c *Core) mergeLatched(w *workspace, mem *batch, received time.Time, at moment) {
	gathering := changes{list: w.changes}
	begin := 0 // of the part whose changes are gathering
	waited := time.Since(received)
	for i, o := range w.order {
		m := w.at(o)
		if expiredAfter(m.op, waited) {
			m.answer = refuse(m.op.Id, storagepb.Status_EXPIRED, "")
			continue
		}
		// Not between two writes to one key: each part would write the whole state.
		if gathering.bytes > batchBytes && gathering.find(m) == nil {
			c.apply(w, w.order[begin:i], gathering.list)
			clear(gathering.list)
			gathering, begin = changes{list: gathering.list[:0]}, i
			waited = time.Since(received) // a large apply takes its time
		}
		c.mergeOne(m, mem, at, &gathering)
	}
	c.apply(w, w.order[begin:], gathering.list)
	w.changes = gathering.list
	if c.config.NoSync {
		return
	}
	for i := range w.merges {
		if m := &w.merges[i]; m.latched {
			m.until.change = c.latches.of(m.key.token).dirty
		}
	}
}

// mergeOne decides about m and gathers what it changes.
func (c *Core) mergeOne(m *merge, mem *batch, at moment, gathering *changes) {
	earlier := gathering.find(m)
	has, joined, err := c.joinStored(m, mem, earlier)
	if err != nil {
		m.answer = refuse(m.op.Id, storagepb.Status_DISK, err.Error())
		return
	}
	m.latched = true
	if has.found && has.policy != m.policy {
		m.answer = refuse(m.op.Id, storagepb.Status_POLICY, "the key holds a state of policy "+has.policy.String())
		return
	}
	if m.op.Origin == storagepb.Origin_CLIENT {
		if m.answer = c.judge(m, at, has, joined); m.answer != nil {
			if m.answer.Status == storagepb.Status_TOO_OLD {
				m.until.floor = m.dot().Stamp.Millis() + 1
				c.window.rely(m.until.floor) // before the latch goes: no batch takes the dot later
			}
			return
		}
		m.first = !has.state.Covers(m.policy, m.dot())
	}
	if has.replaced {
		m.answer = mem.answer(m.op.Id, storagepb.Status_OK)
		m.answer.Live = true
	} else {
		m.answer = acknowledge(m, mem, joined)
		if joined.Equal(has.state) {
			c.counters.unchanged.Add(1)
			return
		}
	}
	gathering.put(m, earlier, &joined)
}

// joinStored returns what m joins into and, if that is of its policy, what comes of it. Values that the join drops
// are not copied from the store. Of a state that a write replaces wholly, as one on top of all that is stored does, nothing
// is: has is the empty state then, of which the same comes, and the same is judged and answered.
func (c *Core) joinStored(m *merge, mem *batch, earlier *change) (has held, joined vclock.State, err error) {
	if earlier != nil {
		return earlier.held, m.join(earlier.held), nil
	}
	mem.merge = m
	has, err = c.view(m.key.key, storagepb.Kind_READ_DIGEST, mem)
	mem.merge = nil
	switch {
	case err != nil:
		return has, joined, err
	case has.replaced:
		return has, *m.sent(), nil
	}
	joined = m.join(has)
	if has.found && has.policy == m.policy && !joined.Equal(*m.sent()) {
		has, err = c.get(m.key.key, mem)
		joined = m.join(has)
	}
	return has, joined, err
}

// join is zero for a state of another policy.
func (m *merge) join(has held) vclock.State {
	if has.found && has.policy != m.policy {
		return vclock.State{}
	}
	return vclock.Join(m.policy, has.state, *m.sent())
}

// apply writes the changes that came of merges and numbers them. If it cannot, it
// turns the merges' answers into what is true then.
func (c *Core) apply(w *workspace, merges []inOrder, changes []change) {
	if len(changes) == 0 {
		return
	}
	b, ends, puts := w.encoded[:0], w.ends[:0], w.puts[:0]
	for i := range changes {
		b = vclock.AppendState(b, changes[i].policy, changes[i].state)
		ends = append(ends, len(b))
	}
	start := 0
	for i := range changes {
		puts = append(puts, KV{changes[i].key.key, b[start:ends[i]]})
		start = ends[i]
	}
	err := c.engine.Apply(puts)
	w.encoded, w.ends, w.puts = b, ends, puts
	if err != nil {
		c.unapplied(w, merges, err)
		return
	}
	for i := range puts {
		c.cache.put(puts[i].Key, puts[i].Value)
	}
	number := c.sync.number()
	c.counters.batches.Add(1)
	for i := range changes {
		c.latches.of(changes[i].key.token).dirty = number
	}
}

func (c *Core) unapplied(w *workspace, merges []inOrder, err error) {
	full := errors.Is(err, ErrFull)
	if full {
		c.counters.full.Add(1)
	} else {
		err = c.fail("apply", err)
	}
	for _, o := range merges {
		m := w.at(o)
		if !m.latched {
			continue
		}
		status := storagepb.Status_DISK
		if !full && m.answer.Status == storagepb.Status_OK {
			status = storagepb.Status_FAILED
		}
		m.answer = refuse(m.op.Id, status, err.Error())
		m.latched, m.first, m.until = false, false, proof{}
	}
}

// shownBytes bounds the values that an acknowledgement carries back to a writer
// who was superseded; past it the clock alone is sent.
const shownBytes = 64 << 10

// acknowledge says what came of a merge (wire.Answer).
func acknowledge(m *merge, mem *batch, joined vclock.State) *wire.Answer {
	a := mem.answer(m.op.Id, storagepb.Status_OK)
	a.Live = true
	for i := range m.sent().Siblings {
		a.Live = a.Live && joined.Has(m.sent().Siblings[i].Dot)
	}
	switch {
	case joined.Equal(*m.sent()):
	case vclock.State{Clock: joined.Clock}.Size() > maxStateBytes: // made between nodes, which do not look
	case m.policy == vclock.LastWriteWins:
		a.State = joined.WithoutValues()
	case a.Live || joined.Size() > shownBytes:
		a.State = vclock.State{Clock: joined.Clock}
	default:
		a.State = joined
	}
	return a
}
