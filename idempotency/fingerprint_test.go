package idempotency_test

import (
	"encoding/hex"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/devrev/pairdb/idempotency"
	"github.com/devrev/pairdb/vclock"
)

// goldenPrints are committed: processes of several versions share records, so these never change.
var goldenPrints = []struct {
	name, print string
	request     idempotency.Request
}{
	{"nothing", "809f6434df9e021c17c5f9a174148f1e", idempotency.Request{}},
	{"put", "4e5d8779db26ea9b49172c88a3e6cc1b", idempotency.Request{Op: idempotency.Put, Cluster: "shop", Tenant: "acme", Key: "cart/1", Value: []byte("abc")}},
	{"put with all", "ce719d4a2b04493c0ae53395b0fc10ee", idempotency.Request{
		Op: idempotency.Put, Cluster: "shop", Tenant: "acme", Key: "cart/1", Value: []byte("abc"), TTL: time.Minute,
		Context: idempotency.ExplicitContext, Clock: vclock.Clock{{Actor: 256, Stamp: 5}, {Actor: 512, Stamp: 7}},
	}},
	{"put with the empty context", "87fddc2dc4428be95dad1b8a643cc382", idempotency.Request{
		Op: idempotency.Put, Cluster: "shop", Tenant: "acme", Key: "cart/1", Value: []byte("abc"), Context: idempotency.EmptyContext,
	}},
	{"delete", "a5ac3b0b48ce57223d070347486cf94a", idempotency.Request{Op: idempotency.Delete, Cluster: "shop", Tenant: "acme", Key: "cart/1"}},
	{"update", "1f7d4ef78a2d42a03ff67524be5d524d", idempotency.Request{Op: idempotency.Update, Cluster: "shop", Tenant: "acme", Key: "cart/1"}},
}

func TestFingerprintsStayAsTheyAre(t *testing.T) {
	for _, c := range goldenPrints {
		print := idempotency.FingerprintOf(c.request)
		require.Equal(t, c.print, hex.EncodeToString(print[:]), c.name)
	}
}

var requests = rapid.Custom(func(t *rapid.T) idempotency.Request {
	short := rapid.StringOfN(rapid.RuneFrom([]rune("ab\x00")), 0, 3, -1) // few, so that pairs are alike
	r := idempotency.Request{
		Op:      idempotency.Op(rapid.IntRange(1, 3).Draw(t, "op")),
		Cluster: short.Draw(t, "cluster"),
		Tenant:  short.Draw(t, "tenant"),
		Key:     short.Draw(t, "key"),
		Value:   []byte(short.Draw(t, "value")),
		TTL:     time.Duration(rapid.IntRange(0, 2).Draw(t, "ttl")),
		Context: idempotency.ContextKind(rapid.IntRange(0, 2).Draw(t, "context")),
	}
	for a := range rapid.IntRange(0, 2).Draw(t, "entries") {
		r.Clock = append(r.Clock, vclock.Dot{Actor: vclock.Actor(a), Stamp: vclock.Stamp(rapid.IntRange(1, 2).Draw(t, "stamp"))})
	}
	return r
})

// counts is what of a request must be the same in a retry.
func counts(r idempotency.Request) idempotency.Request {
	if r.Op == idempotency.Update {
		r.Value, r.TTL, r.Context = nil, 0, 0
	}
	if r.Context != idempotency.ExplicitContext {
		r.Clock = nil
	}
	return r
}

func TestRequestsHaveTheSameFingerprintJustIfTheyAskForTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := requests.Draw(t, "a")
		b := requests.Draw(t, "b")
		for _, same := range []func(){ // so that pairs differ in little
			func() { b.Op = a.Op }, func() { b.Cluster = a.Cluster }, func() { b.Tenant = a.Tenant },
			func() { b.Key = a.Key }, func() { b.Value = a.Value }, func() { b.TTL = a.TTL },
			func() { b.Context = a.Context }, func() { b.Clock = a.Clock },
		} {
			if rapid.IntRange(0, 3).Draw(t, "same") > 0 {
				same()
			}
		}
		equal := sameRequest(counts(a), counts(b))
		require.Equal(t, equal, idempotency.FingerprintOf(a) == idempotency.FingerprintOf(b))
	})
}

func sameRequest(a, b idempotency.Request) bool {
	return a.Op == b.Op && a.Cluster == b.Cluster && a.Tenant == b.Tenant && a.Key == b.Key && string(a.Value) == string(b.Value) &&
		a.TTL == b.TTL && a.Context == b.Context && a.Clock.Compare(b.Clock) == vclock.Equal
}

func TestEachPartOfARequestChangesItsFingerprint(t *testing.T) {
	base := goldenPrints[2].request
	seen := map[idempotency.Fingerprint]string{idempotency.FingerprintOf(base): "the request itself"}
	for name, change := range map[string]func(*idempotency.Request){
		"op":            func(r *idempotency.Request) { r.Op = idempotency.Delete },
		"cluster":       func(r *idempotency.Request) { r.Cluster = "shops" },
		"tenant":        func(r *idempotency.Request) { r.Tenant = "acm" },
		"key":           func(r *idempotency.Request) { r.Key = "cart/2" },
		"value":         func(r *idempotency.Request) { r.Value = []byte("abd") },
		"no value":      func(r *idempotency.Request) { r.Value = nil },
		"ttl":           func(r *idempotency.Request) { r.TTL++ },
		"context":       func(r *idempotency.Request) { r.Context = idempotency.OverwriteContext },
		"empty context": func(r *idempotency.Request) { r.Context = idempotency.EmptyContext },
		"clock":         func(r *idempotency.Request) { r.Clock = r.Clock[:1] },
		"moved a byte":  func(r *idempotency.Request) { r.Cluster, r.Tenant = "shopa", "cme" },
		"moved another": func(r *idempotency.Request) { r.Tenant, r.Key = "acmec", "art/1" },
		"an update":     func(r *idempotency.Request) { r.Op = idempotency.Update },
		"bytes of the domain": func(r *idempotency.Request) {
			r.Key = "pairdb/idempotency/fingerprint/1"
		},
	} {
		r := base
		change(&r)
		print := idempotency.FingerprintOf(r)
		require.Empty(t, seen[print], name)
		seen[print] = name
	}
}
