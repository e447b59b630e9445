package node

import (
	"sync"
	"time"

	"github.com/devrev/pairdb/internal/wire"
	"github.com/devrev/pairdb/storagepb"
)

// A reply is an answer on its way out.
type reply struct {
	answer *wire.Answer
	made   int // the bytes that were counted when it was made
	// taken says that the operation is in the node's load, with so many bytes.
	taken bool
	bytes int
	held  *batch // until it is released; nil is nothing
}

// A sink takes the replies of a run.
type sink interface {
	// room waits until more answers may be made, or nobody waits for op's any more.
	// It is called from the goroutine of run, without latches.
	room(op *wire.Operation, received time.Time)
	// made counts an answer's bytes, before it is put.
	made(bytes int)
	// put takes replies that may leave. It is called from the goroutine of run and
	// from the syncer's, does not block, and takes the slice over.
	put([]reply)
}

// direct is the sink of a single operation.
type direct chan *wire.Answer

func (direct) room(*wire.Operation, time.Time) {}
func (direct) made(int)                        {}
func (d direct) put(r []reply)                 { d <- r[0].answer }

// gatherer is the sink of operations that are waited for together. It has room for a put of each.
type gatherer chan []reply

func (gatherer) room(*wire.Operation, time.Time) {}
func (gatherer) made(int)                        {}
func (g gatherer) put(r []reply)                 { g <- r }

// run does the operations of one frame, received at the time told (by the
// monotonic clock), and gives their answers to a sink as they may leave, in any
// order.
func (c *Core) run(ops []*wire.Operation, received time.Time, to sink) {
	c.runIn(new(batch), nil, ops, received, to)
}

// runIn is run in the memory of b. The replies hold held.
func (c *Core) runIn(b, held *batch, ops []*wire.Operation, received time.Time, to sink) {
	b.expect(len(ops))
	b.name(ops)
	c.fetch(b)
	out := outcomes{core: c, to: to, merges: true, left: len(ops), held: held}
	c.runMerges(ops, b, received, &out)
	out.flush() // before the reads, so that the sync runs while they do
	out.merges = false
	for i, op := range ops {
		if op.Kind != storagepb.Kind_MERGE {
			to.room(op, received)
			if c.load.full() { // of answers that nobody reads
				out.add(op, refuse(op.Id, storagepb.Status_OVERLOADED, ""), proof{})
				continue
			}
			answer, until := c.read(op, &b.keys[i], b, received)
			out.add(op, answer, until)
		}
	}
	out.flush()
}

func (c *Core) runMerges(ops []*wire.Operation, b *batch, received time.Time, out *outcomes) {
	w := workspaces.Get().(*workspace)
	for i, op := range ops {
		if op.Kind != storagepb.Kind_MERGE {
			continue
		}
		if m, refusal := c.prepare(op, &b.keys[i]); refusal != nil {
			out.add(op, refusal, proof{})
		} else {
			w.merges = append(w.merges, m)
		}
	}
	if len(w.merges) > 0 {
		c.merge(w, b, received, out)
	}
	w.giveBack()
}

// A workspace is what the merges of one frame need until they are applied. It is used again: to allocate
// and clear it anew for each frame was a fifth of a merge.
type workspace struct {
	merges  []merge
	order   []inOrder
	stripes []int
	changes []change
	encoded []byte
	ends    []int
	puts    []KV
}

var workspaces = sync.Pool{New: func() any { return new(workspace) }}

// maxKept keeps the workspace of one huge frame from staying for ever: operations, and bytes.
const maxKept, maxKeptBytes = 2048, 1 << 20

func (w *workspace) giveBack() {
	if cap(w.merges) > maxKept || cap(w.encoded) > maxKeptBytes {
		return
	}
	clear(w.merges)
	clear(w.changes)
	clear(w.puts)
	*w = workspace{
		merges: w.merges[:0], order: w.order[:0], stripes: w.stripes[:0],
		changes: w.changes[:0], encoded: w.encoded[:0], ends: w.ends[:0], puts: w.puts[:0],
	}
	workspaces.Put(w)
}

// flushBytes bounds the answers that gather before they are put.
const flushBytes = 1 << 20

// outcomes gathers answers and puts them into the sink when their proofs are on disk.
type outcomes struct {
	core   *Core
	to     sink
	merges bool // else reads

	left           int // operations without an outcome
	ready, waiting []reply
	until          proof // of all that is waiting
	bytes          int
	untold         int // of bytes: not yet told to the sink
	held           *batch

	answered, refused uint64 // not yet counted
}

// usualReplies is how many a frame has at the most that is no attack; for more there is no room before they are there.
const usualReplies = 512

// tellBytes bounds the answers that are made before the sink is told.
const tellBytes = 64 << 10

func (o *outcomes) add(op *wire.Operation, a *wire.Answer, until proof) {
	if a.Status == storagepb.Status_OK {
		o.answered++
	} else {
		o.refused++
	}
	n := answerBytes(a)
	r := reply{answer: a, made: n, taken: true, bytes: operationBytes(op), held: o.held}
	to := &o.ready
	if !o.core.sync.holds(until) {
		to = &o.waiting
		o.until = o.until.join(until)
	}
	if *to == nil {
		*to = make([]reply, 0, min(o.left, usualReplies))
	}
	*to = append(*to, r)
	o.left--
	if o.untold += n; o.untold >= tellBytes {
		o.tell()
	}
	if o.bytes += n; o.bytes >= flushBytes {
		o.flush()
	}
}

func (o *outcomes) tell() {
	if o.untold > 0 {
		o.to.made(o.untold)
		o.untold = 0
	}
}

func (o *outcomes) flush() {
	o.tell()
	o.core.counters.count(o)
	if len(o.ready) > 0 {
		o.to.put(o.ready)
	}
	if len(o.waiting) > 0 {
		core, to, replies, merges := o.core, o.to, o.waiting, o.merges
		core.sync.await(o.until, func(err error) {
			if err != nil {
				core.unproven(replies, merges, err)
			}
			to.put(replies)
		})
	}
	o.ready, o.waiting, o.until, o.bytes = nil, nil, proof{}, 0
}

// unproven turns answers whose proof cannot be had into what is left to say.
func (c *Core) unproven(replies []reply, merges bool, err error) {
	c.counters.unproven.Add(uint64(len(replies)))
	for i, r := range replies {
		status := storagepb.Status_DISK // a read or a refusal applied nothing
		if merges && r.answer.Status == storagepb.Status_OK {
			status = storagepb.Status_FAILED
		}
		replies[i].answer = refuse(r.answer.Id, status, err.Error())
	}
}
