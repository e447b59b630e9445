//go:build unix

package faulttest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb"
	"github.com/devrev/pairdb/vclock"
)

var (
	firstDot  = vclock.Dot{Actor: 1, Stamp: 1}
	secondDot = vclock.Dot{Actor: 2, Stamp: 2}
	onceKey   = place{tenantID, counter + "-0"}
)

// soundCheck is a trial of two updates of one key, all well.
func soundCheck() *onceCheck {
	c := &onceCheck{
		requests: []*onceRequest{
			{ID: 0, Tenant: onceKey.tenant, Key: onceKey.key, Kind: update},
			{ID: 1, Tenant: onceKey.tenant, Key: onceKey.key, Kind: update},
		},
		notes: []note{
			{What: acknowledged, Request: 0, Dot: firstDot},
			{What: acknowledged, Request: 1, Dot: secondDot},
			{What: acknowledged, Request: 1, Dot: secondDot, Duplicate: true},
		},
		audits: map[place]map[vclock.Dot]*audited{onceKey: {
			firstDot: {nodes: map[string]bool{"n1": true}}, secondDot: {nodes: map[string]bool{"n2": true}},
		}},
		found:    map[place]pairdb.Object{},
		receipts: map[*onceRequest]map[vclock.Dot]bool{}, places: map[place]map[vclock.Dot]*onceRequest{},
	}
	c.holds(vclock.Clock{{Actor: 1, Stamp: 1}, {Actor: 2, Stamp: 2}}, pairdb.Sibling{Dot: secondDot, Value: []byte(" r0@a r1@b")})
	return c
}

// holds sets what the key reads as.
func (c *onceCheck) holds(clock vclock.Clock, siblings ...pairdb.Sibling) {
	scope := vclock.Scope(clusterName, onceKey.tenant, onceKey.key)
	c.found[onceKey] = pairdb.Object{Value: siblings[0].Value, Siblings: siblings, Context: vclock.NewContext(scope, clock)}
}

func TestTheCheckFindsWhatIsNotExactlyOnce(t *testing.T) {
	sound := soundCheck()
	sound.check()
	require.Empty(t, sound.violations)

	third := vclock.Dot{Actor: 3, Stamp: 3}
	clock := vclock.Clock{{Actor: 1, Stamp: 1}, {Actor: 2, Stamp: 2}}
	for name, spoil := range map[string]func(*onceCheck){
		"has receipts of 2 dots": func(c *onceCheck) {
			c.notes = append(c.notes, note{What: acknowledged, Request: 1, Dot: third})
		},
		"has receipts of 0 dots": func(c *onceCheck) { c.notes = c.notes[:1] },
		"conflict":               func(c *onceCheck) { c.notes = append(c.notes, note{What: broken, Detail: "conflict"}) },
		"took": func(c *onceCheck) {
			c.audits[onceKey][third] = &audited{nodes: map[string]bool{"n3": true}}
		},
		"no node took": func(c *onceCheck) { delete(c.audits[onceKey], secondDot) },
		"which is no receipt's": func(c *onceCheck) {
			c.holds(clock, pairdb.Sibling{Dot: third, Value: []byte(" r0@a r1@b")})
		},
		"has seen": func(c *onceCheck) {
			c.audits[onceKey][third] = &audited{fragile: true}
			c.holds(vclock.Clock{{Actor: 1, Stamp: 1}, {Actor: 2, Stamp: 2}, {Actor: 3, Stamp: 3}}, c.found[onceKey].Siblings...)
		},
		"two effects of r0": func(c *onceCheck) {
			c.holds(clock, pairdb.Sibling{Dot: secondDot, Value: []byte(" r0@a r0@c r1@b")})
		},
		"lacks the update": func(c *onceCheck) {
			c.holds(clock, pairdb.Sibling{Dot: secondDot, Value: []byte(" r1@b")})
		},
		"the receipt of request": func(c *onceCheck) {
			c.holds(clock, pairdb.Sibling{Dot: secondDot, Value: []byte(" r1@b r0@a")})
		},
	} {
		c := soundCheck()
		spoil(c)
		c.check()
		require.NotEmpty(t, c.violations, name)
		require.Contains(t, c.violations[0], name)
	}

	lost := soundCheck()
	lost.audits[onceKey][third] = &audited{nodes: map[string]bool{"n3": true}, fragile: true}
	lost.check()
	require.Empty(t, lost.violations, "a node was killed before the write was on disk, and nothing has seen it")
	require.Equal(t, 1, lost.lost)
}

func TestTheCheckFindsAKeyThatReadsOtherwiseThanItsOnlyRequestSaid(t *testing.T) {
	c := soundCheck()
	c.requests, c.notes = c.requests[:1], c.notes[:1]
	delete(c.audits[onceKey], secondDot)
	c.holds(vclock.Clock{{Actor: 1, Stamp: 1}}, pairdb.Sibling{Dot: firstDot, Value: []byte(" r0@a")})
	c.check()
	require.Empty(t, c.violations)

	c.holds(vclock.Clock{{Actor: 1, Stamp: 1}}, pairdb.Sibling{Dot: firstDot, Value: []byte(" r7@a r0@a")})
	c.check()
	require.Len(t, c.violations, 1)
}
