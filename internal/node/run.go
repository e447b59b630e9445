package node

import (
	"time"

	"github.com/devrev/pairdb/storagepb"
)

// A reply is an answer on its way out.
type reply struct {
	answer *storagepb.Answer
	made   int // the bytes that were counted when it was made
	// taken says that the operation is in the node's load, with so many bytes.
	taken bool
	bytes int
}

// A sink takes the replies of a run.
type sink interface {
	// room waits until more answers may be made, or nobody waits for op's any more.
	// It is called from the goroutine of run, without latches.
	room(op *storagepb.Operation, received time.Time)
	// made counts an answer's bytes, before it is put.
	made(bytes int)
	// put takes replies that may leave. It is called from the goroutine of run and
	// from the syncer's, does not block, and takes the slice over.
	put([]reply)
}

// direct is the sink of a single operation.
type direct chan *storagepb.Answer

func (direct) room(*storagepb.Operation, time.Time) {}
func (direct) made(int)                             {}
func (d direct) put(r []reply)                      { d <- r[0].answer }

// run does the operations of one frame, received at the time told (by the
// monotonic clock), and gives their answers to a sink as they may leave, in any
// order.
func (c *Core) run(ops []*storagepb.Operation, received time.Time, to sink) {
	out := outcomes{core: c, to: to, merges: true}
	merges := make([]merge, 0, len(ops))
	for _, op := range ops {
		if op.GetKind() != storagepb.Kind_MERGE {
			continue
		}
		if m, refusal := c.prepare(op); refusal != nil {
			out.add(op, refusal, proof{})
		} else {
			merges = append(merges, m)
		}
	}
	if len(merges) > 0 {
		c.merge(merges, received, &out)
	}
	out.flush() // before the reads, so that the sync runs while they do
	out.merges = false
	for _, op := range ops {
		if op.GetKind() != storagepb.Kind_MERGE {
			to.room(op, received)
			if c.load.full() { // of answers that nobody reads
				out.add(op, refuse(op.GetId(), storagepb.Status_OVERLOADED, ""), proof{})
				continue
			}
			answer, until := c.read(op, received)
			out.add(op, answer, until)
		}
	}
	out.flush()
}

// flushBytes bounds the answers that gather before they are put.
const flushBytes = 1 << 20

// outcomes gathers answers and puts them into the sink when their proofs are on disk.
type outcomes struct {
	core   *Core
	to     sink
	merges bool // else reads

	ready, waiting []reply
	until          proof // of all that is waiting
	bytes          int
}

func (o *outcomes) add(op *storagepb.Operation, a *storagepb.Answer, until proof) {
	o.core.counters.count(a, o.merges)
	n := answerBytes(a)
	r := reply{answer: a, made: n, taken: true, bytes: operationBytes(op)}
	if o.core.sync.holds(until) {
		o.ready = append(o.ready, r)
	} else {
		o.waiting = append(o.waiting, r)
		o.until = o.until.join(until)
	}
	o.to.made(n)
	if o.bytes += n; o.bytes >= flushBytes {
		o.flush()
	}
}

func (o *outcomes) flush() {
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
		if merges && r.answer.GetStatus() == storagepb.Status_OK {
			status = storagepb.Status_FAILED
		}
		replies[i].answer = refuse(r.answer.GetId(), status, err.Error())
	}
}
