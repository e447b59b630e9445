package vclock

import "math/rand/v2"

// A history is one random run of the protocol, without network or threads:
// coordinators with real Minters write under contexts of every age, replicas join
// what reaches them, and messages are lost, repeated and reordered.
//
// Beside each clock it carries the truth, as a set of writes: the oracle never
// looks at a clock to say what a replica should hold.
type history struct {
	pick  func(n int) int // in [0, n)
	off   rules           // switched off in every Minter
	now   int64
	err   error
	fresh *rand.Rand // blocks of actors

	coordinators []*writer
	versions     []version
	replicas     [][historyKeys]held
	messages     []message
	contexts     [historyKeys][]known // every context that any client kept
}

const (
	historyKeys     = 3
	historySteps    = 70
	maxVersions     = 64 // the size of a versionSet
	historySkew     = 40 // milliseconds
	historySkewMost = 20
)

// A versionSet is a set of indices into history.versions.
type versionSet uint64

func (s versionSet) has(i int) bool { return s>>i&1 == 1 }

// A version is one write and its true causal history.
type version struct {
	key  int
	dot  Dot
	past versionSet
}

// known is a context: what its reader's clock says, and what it truly saw.
type known struct {
	clock Clock
	past  versionSet
}

// held is a state and its truth: the writes that reached it, and all that any of them saw.
type held struct {
	state State
	last  State // the same writes under LastWriteWins
	got   versionSet
	past  versionSet
}

func (h held) known() known { return known{clock: h.state.Clock, past: h.got | h.past} }

func (h held) join(o held) held {
	return held{
		state: Join(Causal, h.state, o.state),
		last:  Join(LastWriteWins, h.last, o.last),
		got:   h.got | o.got,
		past:  h.past | o.past,
	}
}

type message struct {
	to, key int
	held    held
}

// A writer is a coordinator.
type writer struct {
	minter   *Minter
	hlc      HLC
	skew     int64
	memory   [historyKeys]known
	inFlight []Pin
}

func keyHash(key int) KeyHash { return KeyHash{Hi: 1, Lo: uint64(key)} }

func newHistory(pick func(int) int, off rules) *history {
	h := &history{pick: pick, off: off, now: 1_000_000}
	h.fresh = rand.New(rand.NewPCG(uint64(pick(1<<30)), uint64(pick(1<<30))))
	h.replicas = make([][historyKeys]held, 2+pick(2))
	h.coordinators = make([]*writer, 2+pick(2))
	for i := range h.coordinators {
		h.coordinators[i] = h.newWriter()
	}
	return h
}

func (h *history) newWriter() *writer {
	w := &writer{minter: NewMinter(1+h.pick(historyKeys), h.fresh.Uint64)}
	w.minter.off = h.off
	w.skew = int64(h.pick(2*historySkew)) - historySkew
	if h.pick(2) == 0 {
		w.minter.lanes = 1 + h.pick(4) // so that keys run out of them
	}
	return w
}

// run plays the history to its end, with all replicas converged, and returns the
// first disagreement.
func (h *history) run() error {
	for range historySteps {
		h.now += int64(h.pick(3))
		h.step()
		if h.err != nil {
			return h.err
		}
	}
	h.converge()
	return h.err
}

func (h *history) step() {
	switch n := h.pick(100); {
	case n < 30:
		h.write()
	case n < 72:
		h.deliver()
	case n < 80:
		h.push()
	case n < 90:
		h.read()
	case n < 97:
		h.release()
	default:
		h.coordinators[h.pick(len(h.coordinators))] = h.newWriter()
	}
}

// write makes a version under some context and sends it to some replicas.
func (h *history) write() {
	if len(h.versions) == maxVersions {
		return
	}
	w, key := h.coordinators[h.pick(len(h.coordinators))], h.pick(historyKeys)
	ctx := h.contextFor(w, key)
	stamp := w.hlc.Next(h.now + w.skew)
	if h.pick(20) == 0 {
		stamp = StampOf(h.now-int64(h.pick(50)), 1) // no clock discipline
	}
	dot, pin := w.minter.Mint(keyHash(key), ctx.clock, stamp)
	w.inFlight = append(w.inFlight, pin)
	h.checkMinted(dot, key, ctx)

	id := versionSet(1) << len(h.versions)
	h.versions = append(h.versions, version{key: key, dot: dot, past: ctx.past})
	sibling := Sibling{Dot: dot}
	written := held{
		state: WriteState(Causal, ctx.clock, sibling),
		last:  WriteState(LastWriteWins, nil, sibling),
		got:   id,
		past:  ctx.past,
	}
	for to := range h.replicas {
		if h.pick(4) > 0 {
			h.messages = append(h.messages, message{to: to, key: key, held: written})
		}
	}
	if h.pick(2) == 0 {
		h.learn(w, key, written.known())
	}
}

// contextFor chooses what a write has seen: a context that some client kept, the
// coordinator's own memory, what a replica holds, or nothing.
func (h *history) contextFor(w *writer, key int) known {
	switch n := h.pick(10); {
	case n < 4 && len(h.contexts[key]) > 0:
		return h.contexts[key][h.pick(len(h.contexts[key]))]
	case n < 7:
		return w.memory[key]
	case n < 9:
		return h.replicas[h.pick(len(h.replicas))][key].known()
	default:
		return known{}
	}
}

func (h *history) learn(w *writer, key int, k known) {
	w.memory[key] = k
	w.hlc.Observe(k.clock.Newest(), h.now+w.skew, historySkewMost)
	h.contexts[key] = append(h.contexts[key], k)
}

// deliver joins one waiting message into its replica. It may stay, to be
// delivered again, or be lost instead.
func (h *history) deliver() {
	if len(h.messages) == 0 {
		return
	}
	i := h.pick(len(h.messages))
	m := h.messages[i]
	fate := h.pick(8)
	if fate > 1 {
		last := len(h.messages) - 1
		h.messages[i] = h.messages[last]
		h.messages = h.messages[:last]
	}
	if fate != 7 {
		h.joinAt(m.to, m.key, m.held)
	}
}

// push sends what one replica holds of a key to another, to arrive at any time.
func (h *history) push() {
	from, to, key := h.pick(len(h.replicas)), h.pick(len(h.replicas)), h.pick(historyKeys)
	h.messages = append(h.messages, message{to: to, key: key, held: h.replicas[from][key]})
}

// read joins what some replicas hold, as a coordinator does, and may repair one.
func (h *history) read() {
	w, key := h.coordinators[h.pick(len(h.coordinators))], h.pick(historyKeys)
	var answer held
	for r := range h.replicas {
		if h.pick(2) == 0 {
			answer = answer.join(h.replicas[r][key])
		}
	}
	h.learn(w, key, answer.known())
	if h.pick(2) == 0 {
		h.messages = append(h.messages, message{to: h.pick(len(h.replicas)), key: key, held: answer})
	}
}

func (h *history) release() {
	w := h.coordinators[h.pick(len(h.coordinators))]
	if len(w.inFlight) > 0 {
		w.minter.Release(w.inFlight[0])
		w.inFlight = w.inFlight[1:]
	}
}

func (h *history) converge() {
	for key := range historyKeys {
		for range 2 {
			for from := range h.replicas {
				for to := range h.replicas {
					h.joinAt(to, key, h.replicas[from][key])
				}
			}
		}
		for r := range h.replicas {
			a, b := h.replicas[0][key].state, h.replicas[r][key].state
			if !a.Equal(b) || a.Digest() != b.Digest() {
				h.fail("key %d: replicas 0 and %d did not converge: %v and %v", key, r, a, b)
			}
			h.checkExact(key, h.replicas[r][key].known())
		}
	}
}

func (h *history) joinAt(replica, key int, arrived held) {
	at := &h.replicas[replica][key]
	*at = at.join(arrived)
	h.checkHeld(replica, key, at)
}
