//go:build unix

package faulttest

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb"
	"github.com/devrev/pairdb/vclock"
)

// finish repeats every request until it succeeds, and once more, reads every key at All, and stops the nodes
// in good order, so that nothing is under way any more. Then it compares.
func (r *onceTrial) finish() *onceCheck {
	r.t.Helper()
	found := map[place]pairdb.Object{}
	r.withClient(func(_ *coordinator, caller *onceCaller) {
		for range 2 {
			for _, req := range r.requests {
				r.repeat(caller, req)
			}
		}
		for _, req := range r.requests {
			obj, err := caller.client.Tenant(req.Tenant).Get(r.t.Context(), req.Key, pairdb.AtLevel(pairdb.All), pairdb.ResolveWith(allWords))
			if !errors.Is(err, pairdb.ErrNotFound) {
				require.NoError(r.t, err)
			}
			found[place{req.Tenant, req.Key}] = obj
		}
	})
	for _, p := range r.c.nodes {
		require.NoError(r.t, p.stop())
	}
	r.c.end()
	notes, err := r.notes()
	require.NoError(r.t, err)
	audits, err := r.audits()
	require.NoError(r.t, err)
	c := &onceCheck{
		requests: r.requests, notes: notes, audits: audits, found: found,
		receipts: map[*onceRequest]map[vclock.Dot]bool{}, places: map[place]map[vclock.Dot]*onceRequest{},
	}
	c.check()
	return c
}

// A onceCheck holds receipts, audit logs and values against each other.
type onceCheck struct {
	requests []*onceRequest
	notes    []note
	audits   map[place]map[vclock.Dot]*audited
	found    map[place]pairdb.Object

	receipts   map[*onceRequest]map[vclock.Dot]bool
	places     map[place]map[vclock.Dot]*onceRequest // the same, by where they are
	dots       int                                   // in audit logs
	lost       int                                   // of them: taken back by the kill of their nodes, and replaced
	untaken    int                                   // last-write-wins: a greater write came first everywhere
	violations []string
}

func (c *onceCheck) wrong(format string, args ...any) {
	c.violations = append(c.violations, fmt.Sprintf(format, args...))
}

func (c *onceCheck) check() {
	c.checkReceipts()
	for p, dots := range c.places {
		lost := c.checkAudit(p, dots)
		c.checkStored(p, dots, lost)
	}
	for _, r := range c.requests {
		if !slices.ContainsFunc(c.requests, func(o *onceRequest) bool {
			return o.Tenant == r.Tenant && o.Key == r.Key && o != r && o != r.Over
		}) {
			c.checkAlone(r)
		}
	}
}

// checkReceipts: all receipts of one request have the same dot.
func (c *onceCheck) checkReceipts() {
	for _, r := range c.requests {
		c.receipts[r] = map[vclock.Dot]bool{}
		if p := (place{r.Tenant, r.Key}); c.places[p] == nil {
			c.places[p] = map[vclock.Dot]*onceRequest{}
		}
	}
	for _, n := range c.notes {
		switch n.What {
		case acknowledged:
			r := c.requests[n.Request]
			c.receipts[r][n.Dot] = true
			c.places[place{r.Tenant, r.Key}][n.Dot] = r
		case broken:
			c.wrong("request %+v: %s", *c.requests[n.Request], n.Detail)
		}
	}
	for _, r := range c.requests {
		if dots := c.receipts[r]; len(dots) != 1 {
			c.wrong("P7: request %+v has receipts of %d dots: %v", *r, len(dots), slices.Collect(maps.Keys(dots)))
		}
	}
}

// checkAudit: the nodes have seen the dots of the receipts, and no others. It returns those that a
// node saw and lost: no acknowledgement tells of them, and the intent was replaced.
func (c *onceCheck) checkAudit(p place, want map[vclock.Dot]*onceRequest) (lost []vclock.Dot) {
	for d, a := range c.audits[p] {
		c.dots++
		switch {
		case want[d] != nil:
		case a.fragile:
			c.lost++
			lost = append(lost, d)
		default:
			c.wrong("P7: %v took %v for %s/%s, which is no receipt's", slices.Sorted(maps.Keys(a.nodes)), d, p.tenant, p.key)
		}
	}
	for d, r := range want {
		switch {
		case c.audits[p][d] != nil:
		case p.tenant == lastTenantID && greatest(want) != d:
			c.untaken++
		default:
			c.wrong("P1: no node took %v, of the receipt of request %+v", d, *r)
		}
	}
	return lost
}

func greatest(dots map[vclock.Dot]*onceRequest) (g vclock.Dot) {
	for d := range dots {
		if d.Stamp > g.Stamp || d.Stamp == g.Stamp && d.Actor > g.Actor {
			g = d
		}
	}
	return g
}

// checkStored: each sibling is of a receipt's write and has its value, nothing has seen what was lost, and each update shows
// once: where it cannot have been overwritten, exactly once.
func (c *onceCheck) checkStored(p place, want map[vclock.Dot]*onceRequest, lost []vclock.Dot) {
	obj := c.found[p]
	seen := map[string]string{} // token → nonce
	for i := range obj.Siblings {
		s := &obj.Siblings[i]
		r := want[s.Dot]
		if r == nil {
			c.wrong("P7: %s/%s holds %v (%q), which is no receipt's", p.tenant, p.key, s.Dot, s.Value)
			continue
		}
		if s.Deleted != (r.Kind == deleteKey) || !s.Deleted && !r.wrote(s.Value) {
			c.wrong("P7: %s/%s holds %q (deleted: %t) as %v, the receipt of request %+v", p.tenant, p.key, s.Value, s.Deleted, s.Dot, *r)
		}
		for _, word := range strings.Fields(string(s.Value)) {
			token, nonce, _ := strings.Cut(word, "@")
			if other, ok := seen[token]; ok && other != nonce {
				c.wrong("P7: %s/%s shows two effects of %s: %s and %s", p.tenant, p.key, token, other, nonce)
			}
			seen[token] = nonce
		}
	}
	if p.tenant == lastTenantID {
		return
	}
	clock, err := obj.Context.Clock(vclock.Scope(clusterName, p.tenant, p.key))
	if err != nil {
		c.wrong("%s/%s: %v", p.tenant, p.key, err)
	}
	for _, d := range lost {
		if clock.Covers(d) {
			c.wrong("P7: %s/%s has seen %v, which is no receipt's", p.tenant, p.key, d)
		}
	}
	if strings.HasPrefix(p.key, counter) {
		for _, r := range want {
			if _, ok := seen[r.token()]; !ok {
				c.wrong("P3: %s/%s lacks the update of request %+v", p.tenant, p.key, *r)
			}
		}
	}
}

// wrote reports whether the request may have stored the value.
func (r *onceRequest) wrote(value []byte) bool {
	if r.Kind != update {
		return string(value) == r.token()
	}
	words := strings.Fields(string(value))
	return len(words) > 0 && strings.HasPrefix(words[len(words)-1], r.token()+"@")
}

// checkAlone: a key that r alone wrote, or r over another's put, reads as the value of r's receipt.
func (c *onceCheck) checkAlone(r *onceRequest) {
	obj := c.found[place{r.Tenant, r.Key}]
	if len(obj.Siblings) != 1 || !c.receipts[r][obj.Siblings[0].Dot] {
		c.wrong("P7: after request %+v, with receipts of %v, the key holds %+v", *r, slices.Collect(maps.Keys(c.receipts[r])), obj.Siblings)
		return
	}
	words := 1
	switch {
	case r.Kind == deleteKey:
		words = 0
	case r.Kind == update && r.Over != nil:
		words = 2
	}
	if n := len(strings.Fields(string(obj.Value))); n != words {
		c.wrong("P7: after request %+v the key holds %q, not %d words", *r, obj.Value, words)
	}
}
