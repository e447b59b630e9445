package pairdb

import (
	"fmt"
	"time"

	"github.com/devrev/pairdb/replica"
)

// admit refuses a call that had better not be begun: too few owners for the level would get to it in time. That is decided once, of
// the quorum, before the call has named, copied or sent anything, so that a refusal costs next to nothing, and no
// owner works for a call that the others refuse. An owner that is slow refuses nothing that the others can do, and what
// was admitted goes on to its end: later rounds do not ask again.
//
// bytes is the size of what is to be written.
func (k *call) admit(l Level, bytes int) error {
	need, _ := l.Need(len(k.owners))
	now := k.time()
	left := max(0, k.deadline.Sub(now))
	ready := 0
	var least replica.Admission // of those that are crowded
	for i, o := range k.owners {
		a := k.v.nodes[o].conn.Admit(bytes, now, left)
		if a.OK {
			if ready++; ready >= need {
				return nil
			}
			continue
		}
		if crowded := i - ready; crowded == 0 || a.Backlog < least.Backlog {
			least = a
		}
	}
	k.c.counters.overloaded.Add(1)
	return &OverloadError{
		Op: k.op, Level: l, Needed: need, Ready: ready, Total: len(k.owners),
		Backlog: least.Backlog, Wait: least.Wait, Left: left,
	}
}

// OverloadError says that a call was refused at once, since too few owners would have got to it in time. Nothing was
// sent and nothing has changed. It is ErrOverloaded, and of a write ErrNotApplied.
//
// Try again after a pause that grows with each refusal and has a random part, or shed the load further up.
type OverloadError struct {
	Op      string // "get", "put", "delete", "update"
	Level   Level
	Needed  int           // owners that have to answer
	Ready   int           // owners that could have
	Total   int           // owners in all
	Backlog int           // operations ahead at the least crowded of the other owners
	Wait    time.Duration // what they will take it, at its pace; 0 if that is not known
	Left    time.Duration // what the call had left
}

func (e *OverloadError) Error() string {
	s := fmt.Sprintf("overloaded: level %v needs %d of %d owners, %d can take more; %d operations are ahead of the call",
		e.Level, e.Needed, e.Total, e.Ready, e.Backlog)
	if e.Wait > 0 {
		s += fmt.Sprintf(", some %v, and it had %v", e.Wait.Round(time.Millisecond), e.Left.Round(time.Millisecond))
	}
	return s + ": nothing was sent; try again after a growing, random pause"
}

// Is reports whether target is ErrOverloaded.
func (e *OverloadError) Is(target error) bool { return target == ErrOverloaded }
