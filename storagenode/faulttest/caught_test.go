//go:build unix

package faulttest

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb"
	"github.com/devrev/pairdb/internal/history"
)

// caughtLimit bounds the search for a violation that has to come.
const caughtLimit = 60 * time.Second

// Nodes that hold everything in memory come back empty, and clients that are opened
// afterwards cannot know: acknowledged writes are lost.
func TestTheNemesisCatchesNodesThatForget(t *testing.T) {
	c := start(t, 3, 2, true)
	r := newTrial(c, chooseSeed(t), 40, []strike{{1, (*nemesis).kill}})
	r.mustBreak(t, "P2")
}

// Levels that do not overlap promise no visibility: reads miss what was acknowledged.
func TestTheNemesisCatchesLevelsThatDoNotOverlap(t *testing.T) {
	c := start(t, 3, 2, false)
	r := newTrial(c, chooseSeed(t), 40, []strike{{1, (*nemesis).cutLinks}, {1, (*nemesis).kill}})
	r.level = pairdb.One
	r.mustBreak(t, "P2")
}

// mustBreak torments, with fresh clients each time, until the record breaks the promise.
func (r *trial) mustBreak(t *testing.T, promise string) {
	t.Helper()
	defer r.report(t)
	broken := func(v history.Violation) bool { return v.Promise == promise }
	for begun := time.Now(); !slices.ContainsFunc(r.violations, broken); {
		require.Less(t, time.Since(begun), caughtLimit, "nothing was found wrong")
		for _, co := range r.c.coords {
			require.NoError(t, co.close(closeLimit))
			require.NoError(t, co.open(t.Context()))
		}
		r.torment(t, 2*time.Second)
		r.violations = r.log.Check()
	}
}
