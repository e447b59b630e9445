//go:build unix

//pairdb:needs redis

package faulttest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/devrev/pairdb"
)

const (
	usualTime          = 20 * time.Second
	requestsPerSecond  = 15
	reportedViolations = 10 // bounds what a failure prints
)

// durable keeps what Redis has acknowledged, whatever becomes of it.
var durable = []string{"--appendonly", "yes", "--appendfsync", "always"}

// P7: processes repeat the same requests while they are killed at every step, nodes and Redis killed, stopped
// and frozen, links cut, and writes grow too old. Each idempotency key has one dot, on every node, in
// every receipt.
func TestAnIdempotencyKeyHasOneEffectWhicheverProcessIsKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes half a minute")
	}
	usual := usualTime
	if len(raceFlag) > 0 {
		usual += usualTime / 2
	}
	before := goleak.IgnoreCurrent()
	seed := chooseSeed(t)
	for d := duration(t, usual, 0); d > 0; d -= roundTime {
		surviveOnce(t, seed, min(d, roundTime))
		seed++
	}
	goleak.VerifyNone(t, before)
}

func surviveOnce(t *testing.T, seed uint64, d time.Duration) {
	t.Helper()
	r := newOnceTrial(t, seed, int(requestsPerSecond*d.Seconds()), d, durable...)
	var c *onceCheck
	defer func() { r.report(c) }()
	r.torment(d)
	c = r.finish()
	r.c.requireEnded(t)
	require.NoError(t, r.redis.Close())
	for _, v := range c.violations[:min(len(c.violations), reportedViolations)] {
		t.Error(v)
	}
	n := c.counts()
	require.Zero(t, n[pairdb.KeyUnprotected.String()])
	if d >= usualTime && len(c.violations) == 0 {
		for _, what := range []string{
			pairdb.KeyReplayed.String(), pairdb.KeySettled.String(), pairdb.KeyReplaced.String(),
			died + " " + beforeIntent, died + " " + afterIntent, died + " " + afterMerge, died + " " + beforeResult,
		} {
			require.NotZero(t, n[what], "how often it happened: %s", what)
		}
	}
}

// Processes that take a fresh idempotency key for each try have no protection.
func TestTheTrialCatchesProcessesThatTakeAFreshKeyForEachTry(t *testing.T) {
	mustDouble(t, true, durable...)
}

// A Redis that keeps nothing on disk forgets when it is killed.
func TestTheTrialCatchesARedisThatForgets(t *testing.T) {
	mustDouble(t, false)
}

// mustDouble runs trials until one finds two effects of one request.
func mustDouble(t *testing.T, freshTokens bool, redisArgs ...string) {
	t.Helper()
	if testing.Short() {
		t.Skip("it takes some seconds")
	}
	seed := chooseSeed(t)
	for begun := time.Now(); ; seed++ {
		require.Less(t, time.Since(begun), caughtLimit, "nothing was found wrong")
		const d = 3 * time.Second
		r := newOnceTrial(t, seed, int(requestsPerSecond*d.Seconds()), d, redisArgs...)
		r.freshTokens = freshTokens
		r.torment(d)
		c := r.finish()
		for _, v := range c.violations {
			if strings.HasPrefix(v, "P7") {
				t.Logf("%d violations, such as %s", len(c.violations), v)
				return
			}
		}
	}
}

// counts is how often each thing was noted.
func (c *onceCheck) counts() map[string]int {
	n := map[string]int{}
	for _, note := range c.notes {
		n[note.What]++
		switch {
		case note.What == died:
			n[died+" "+note.Detail]++
		case note.Duplicate:
			n["duplicate receipts"]++
		}
	}
	return n
}

// report prints the totals, and what a failure is found by.
func (r *onceTrial) report(c *onceCheck) {
	r.t.Helper()
	if c != nil {
		n := c.counts()
		calls := n[acknowledged] + n[notApplied] + n[unknown] + n[broken]
		var deaths []string
		for _, step := range slices.Compact(slices.Sorted(slices.Values(steps))) {
			deaths = append(deaths, fmt.Sprintf("%s %d", step, n[died+" "+step]))
		}
		r.t.Logf("seed %d: %d requests, %d calls (acknowledged %d, of them duplicates %d; not applied %d, unknown %d), "+
			"workers killed %d (%s), replays %d, settled %d, replaced %d, not recorded %d; "+
			"dots in the audit logs %d (of requests; %d more were superseded before a node took them), and %d that a killed node lost; "+
			"violations %d; faults: %s",
			r.seed, len(c.requests), calls, n[acknowledged], n["duplicate receipts"], n[notApplied], n[unknown],
			n[died], strings.Join(deaths, ", "), n[pairdb.KeyReplayed.String()], n[pairdb.KeySettled.String()],
			n[pairdb.KeyReplaced.String()], n[pairdb.KeyUnfinished.String()], c.dots-c.lost, c.untaken, c.lost, len(c.violations), r.c.events.totals())
	}
	if !r.t.Failed() {
		return
	}
	r.t.Logf("again with PAIRDB_FAULT_SEED=%d; what the nemesis did:\n%s", r.seed, r.c.events)
	for _, p := range r.c.nodes {
		r.t.Logf("last lines of %s:\n%s", p.id, p.log())
	}
}
