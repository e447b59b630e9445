package history

import (
	"fmt"
	"strings"
	"sync"

	"github.com/devrev/pairdb/vclock"
)

// An Outcome is what a write's caller was told.
type Outcome uint8

// The outcomes.
const (
	Pending Outcome = iota // the call has not returned
	Acked
	NotApplied
	Unknown
)

func (o Outcome) String() string {
	return [...]string{"pending", "acked", "not applied", "unknown"}[o]
}

// A Write is one write of a key.
type Write struct {
	ID        int // from 1; the text of its value, unless it is a tombstone
	Key       string
	Tombstone bool
	Blind     bool // without a context
	Saw       *Read
	Begin     int64 // places in the one order of all events
	End       int64
	Outcome   Outcome
	Dot       vclock.Dot
	Clock     vclock.Clock // of the receipt
	Note      string       // for people: the error, the client
}

// A Read is one read of a key.
type Read struct {
	Key        string
	Begin, End int64
	Shown      []vclock.Dot
	IDs        []int // of the values shown; 0 for tombstones
	Note       string
}

// A Log is a history. Its methods may be called from any number of goroutines.
type Log struct {
	mu     sync.Mutex
	clock  int64    // guarded by mu, as the rest
	writes []*Write // by ID-1
	reads  []*Read
}

func (l *Log) tick() int64 {
	l.clock++
	return l.clock
}

// BeginWrite records that a write begins. saw is the read whose context it is
// given; nil with blind false is a write with the empty context.
func (l *Log) BeginWrite(key string, tombstone, blind bool, saw *Read) *Write {
	l.mu.Lock()
	defer l.mu.Unlock()
	w := &Write{
		ID: len(l.writes) + 1, Key: key, Tombstone: tombstone, Blind: blind, Saw: saw, Begin: l.tick(),
	}
	l.writes = append(l.writes, w)
	return w
}

// EndWrite records its outcome; dot and clock are the receipt's.
func (l *Log) EndWrite(w *Write, o Outcome, dot vclock.Dot, clock vclock.Clock, note string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	w.End, w.Outcome, w.Dot, w.Clock, w.Note = l.tick(), o, dot, clock, note
}

// BeginRead returns the place at which a read begins.
func (l *Log) BeginRead() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.tick()
}

// EndRead records what a read that succeeded has shown: dots, and IDs of values.
func (l *Log) EndRead(key string, begin int64, dots []vclock.Dot, ids []int, note string) *Read {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := &Read{Key: key, Begin: begin, End: l.tick(), Shown: dots, IDs: ids, Note: note}
	l.reads = append(l.reads, r)
	return r
}

// Counts are totals, for a test to print.
type Counts struct{ Writes, Acked, NotApplied, Unknown, Reads int }

// Counts returns the totals so far.
func (l *Log) Counts() Counts {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := Counts{Writes: len(l.writes), Reads: len(l.reads)}
	for _, w := range l.writes {
		switch w.Outcome {
		case Acked:
			n.Acked++
		case NotApplied:
			n.NotApplied++
		case Unknown:
			n.Unknown++
		case Pending:
		}
	}
	return n
}

// Of returns the events of one key in order, for a failure's report.
func (l *Log) Of(key string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var b strings.Builder
	for _, w := range l.writes {
		if w.Key != key {
			continue
		}
		kind := "put"
		if w.Tombstone {
			kind = "delete"
		}
		how := "with the empty context"
		switch {
		case w.Blind:
			how = "blind"
		case w.Saw != nil:
			how = fmt.Sprintf("after read %d", w.Saw.Begin)
		}
		fmt.Fprintf(&b, "[%d-%d] %s #%d %s: %v %v %s\n", w.Begin, w.End, kind, w.ID, how, w.Outcome, w.Dot, w.Note)
	}
	for _, r := range l.reads {
		if r.Key == key {
			fmt.Fprintf(&b, "[%d-%d] read: %v %v %s\n", r.Begin, r.End, r.IDs, r.Shown, r.Note)
		}
	}
	return b.String()
}
