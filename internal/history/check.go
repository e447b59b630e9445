package history

import (
	"fmt"
	"math"
	"slices"

	"github.com/devrev/pairdb/vclock"
)

// A Violation is a promise that a history breaks.
type Violation struct {
	Promise string // "P2"
	Key     string
	Text    string
}

func (v Violation) String() string {
	return fmt.Sprintf("%s broken at %q: %s", v.Promise, v.Key, v.Text)
}

// Check returns the violations of a finished history, at most 20. Reads must have been
// made at a level that overlaps with the writes'.
func (l *Log) Check() []Violation {
	l.mu.Lock()
	defer l.mu.Unlock()
	byKey := map[string]*checker{}
	of := func(key string) *checker {
		if byKey[key] == nil {
			byKey[key] = &checker{key: key, byDot: map[vclock.Dot]*Write{}, byID: map[int]*Write{}, covers: map[*Write]map[*Write]bool{}}
		}
		return byKey[key]
	}
	for _, w := range l.writes {
		c := of(w.Key)
		c.writes = append(c.writes, w)
		c.byID[w.ID] = w
		if w.Outcome == Acked {
			c.byDot[w.Dot] = w
		}
	}
	for _, r := range l.reads {
		c := of(r.Key)
		c.reads = append(c.reads, r)
		c.learn(r)
	}
	var out []Violation
	for _, key := range slices.Sorted(keys(byKey)) {
		out = append(out, byKey[key].check()...)
		if len(out) >= 20 {
			break
		}
	}
	return out
}

func keys(m map[string]*checker) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

type checker struct {
	key    string
	writes []*Write
	reads  []*Read
	byDot  map[vclock.Dot]*Write
	byID   map[int]*Write
	covers map[*Write]map[*Write]bool // what a write with a context has seen, all of it
	out    []Violation
}

// learn finds the dots of writes whose callers were not told them.
func (c *checker) learn(r *Read) {
	for i, id := range r.IDs {
		if w := c.byID[id]; id != 0 && w != nil && w.Dot.IsZero() {
			w.Dot = r.Shown[i]
			c.byDot[w.Dot] = w
		}
	}
}

func (c *checker) fail(promise, format string, args ...any) {
	c.out = append(c.out, Violation{Promise: promise, Key: c.key, Text: fmt.Sprintf(format, args...)})
}

func (c *checker) check() []Violation {
	for _, r := range c.reads {
		shown, unknown := c.shown(r)
		c.checkShown(r, shown)
		if unknown {
			// A tombstone of a delete whose caller was not told its dot: it may have
			// covered whatever was begun by then.
			continue
		}
		c.checkReached(r, shown)
	}
	return c.out
}

// shown are the writes that a read showed; unknown, whether there was one that
// cannot be told.
func (c *checker) shown(r *Read) (shown []*Write, unknown bool) {
	for i, dot := range r.Shown {
		w := c.byDot[dot]
		if w == nil && r.IDs[i] != 0 {
			w = c.byID[r.IDs[i]]
		}
		switch {
		case w != nil:
			shown = append(shown, w)
		case r.IDs[i] != 0:
			c.fail("P3", "read %d shows value %d, which nobody wrote", r.Begin, r.IDs[i])
		case !slices.ContainsFunc(c.writes, func(w *Write) bool { return w.Tombstone && w.Outcome != Acked && w.Outcome != NotApplied }):
			c.fail("P8", "read %d shows a tombstone %v that no applied delete wrote", r.Begin, dot)
		default:
			unknown = true
		}
	}
	return shown, unknown
}

// checkShown: nothing that was not applied, nothing that was covered before the read
// began, nothing beside a blind write that had to cover it.
func (c *checker) checkShown(r *Read, shown []*Write) {
	for _, w := range shown {
		if w.Outcome == NotApplied {
			c.fail("P8", "read %d shows #%d, which was not applied", r.Begin, w.ID)
		}
		for _, x := range c.writes {
			if x == w || x.Outcome != Acked {
				continue
			}
			if x.End < r.Begin && c.covered(x)[w] {
				c.fail("P9", "read %d shows #%d, which #%d, acknowledged before, covered", r.Begin, w.ID, x.ID)
			}
			if x.Blind && w.Outcome == Acked && w.End < x.Begin && slices.Contains(shown, x) {
				c.fail("P4", "read %d shows #%d beside the blind #%d, which began after it was acknowledged", r.Begin, w.ID, x.ID)
			}
		}
	}
}

// checkReached: every write that was acknowledged before the read began is shown or was covered by
// what is shown.
func (c *checker) checkReached(r *Read, shown []*Write) {
	reached := c.reach(shown)
	for _, w := range c.writes {
		if w.Outcome == Acked && w.End < r.Begin && !reached[w] {
			c.fail("P2", "read %d shows %v: acknowledged #%d is lost", r.Begin, r.IDs, w.ID)
			return // the others follow from it, mostly
		}
	}
}

// reach is all that the given writes have, or may have, replaced.
func (c *checker) reach(from []*Write) map[*Write]bool {
	reached := map[*Write]bool{}
	queue := slices.Clone(from)
	for len(queue) > 0 {
		w := queue[len(queue)-1]
		queue = queue[:len(queue)-1]
		if reached[w] {
			continue
		}
		reached[w] = true
		if !w.Blind {
			for seen := range c.covered(w) {
				queue = append(queue, seen)
			}
			// A tombstone whose dot is not known may be among what w saw.
			if w.Saw != nil && c.sawUnknown(w.Saw) {
				queue = append(queue, c.begunBefore(w.Saw.End)...)
			}
			continue
		}
		for _, x := range c.writes {
			if x != w && c.mayCover(w, x) {
				queue = append(queue, x)
			}
		}
	}
	return reached
}

// mayCover reports whether the blind w may have replaced x.
func (c *checker) mayCover(w, x *Write) bool {
	if w.Outcome == Acked {
		// The receipt says what it covered; that x had begun is what the checker adds.
		return x.Begin < w.End && (x.Dot.IsZero() || w.Clock.Covers(x.Dot))
	}
	return x.Begin < end(w)
}

func end(w *Write) int64 {
	if w.Outcome == Acked || w.Outcome == NotApplied {
		return w.End
	}
	return math.MaxInt64
}

func (c *checker) sawUnknown(r *Read) bool {
	for i, dot := range r.Shown {
		if r.IDs[i] == 0 && c.byDot[dot] == nil {
			return true
		}
	}
	return false
}

func (c *checker) begunBefore(t int64) (out []*Write) {
	for _, w := range c.writes {
		if w.Begin < t {
			out = append(out, w)
		}
	}
	return out
}

// covered is all that a write with a context has certainly seen: what its reader was shown, and
// what those had seen.
func (c *checker) covered(w *Write) map[*Write]bool {
	if known, ok := c.covers[w]; ok {
		return known
	}
	all := map[*Write]bool{}
	c.covers[w] = all
	if w.Blind || w.Saw == nil {
		return all
	}
	for i, dot := range w.Saw.Shown {
		seen := c.byDot[dot]
		if seen == nil && w.Saw.IDs[i] != 0 {
			seen = c.byID[w.Saw.IDs[i]]
		}
		if seen == nil || seen == w {
			continue
		}
		all[seen] = true
		for s := range c.covered(seen) {
			all[s] = true
		}
	}
	return all
}
