package tenanttest

import (
	"errors"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/quorum"
	"github.com/devrev/pairdb/tenant"
	"github.com/devrev/pairdb/vclock"
)

var versions = []storeCase{
	{"an update that is based on another version is refused, with both versions", func(t *testing.T, s tenant.Store) {
		first := create(t, s, acme())
		second := update(t, s, first)
		for _, given := range []uint64{0, first.Version, second.Version + 1, math.MaxInt64, math.MaxUint64} {
			stale := second
			stale.Version, stale.Write = given, quorum.One
			got, err := s.Update(soon(t), stale)
			isVersionError(t, err, tenant.VersionError{ID: second.ID, Given: given, Has: second.Version})
			require.Zero(t, got)
			has(t, s, second)
		}
	}},
	{"a delete of another version is refused, with both versions", func(t *testing.T, s tenant.Store) {
		first := create(t, s, acme())
		second := update(t, s, first)
		for _, given := range []uint64{0, first.Version, second.Version + 1, math.MaxInt64, math.MaxUint64} {
			err := s.Delete(soon(t), second.ID, given)
			isVersionError(t, err, tenant.VersionError{ID: second.ID, Given: given, Has: second.Version})
			has(t, s, second)
		}
	}},
	{"replicas and policy cannot be changed", func(t *testing.T, s tenant.Store) {
		kept := create(t, s, acme())
		for _, c := range []struct {
			change func(*tenant.Config)
			fields []string
		}{
			{func(c *tenant.Config) { c.Replicas = 7 }, []string{"Replicas"}},
			{func(c *tenant.Config) { c.Replicas = 3 }, []string{"Replicas"}},
			{func(c *tenant.Config) { c.Policy = vclock.LastWriteWins }, []string{"Policy"}},
			{func(c *tenant.Config) { c.Replicas, c.Policy = 4, vclock.LastWriteWins }, []string{"Replicas", "Policy"}},
		} {
			next := kept
			next.Write = quorum.Two
			c.change(&next)
			got, err := s.Update(soon(t), next)
			isOnly(t, err, tenant.ErrImmutable)
			require.ElementsMatch(t, c.fields, fields(err))
			require.Zero(t, got)
			has(t, s, kept)
		}
	}},
	{"a version conflict comes before what cannot be changed", func(t *testing.T, s tenant.Store) {
		kept := create(t, s, acme())
		next := kept
		next.Version, next.Replicas = 9, 7
		_, err := s.Update(soon(t), next)
		isVersionError(t, err, tenant.VersionError{ID: kept.ID, Given: 9, Has: 1})
		has(t, s, kept)
	}},
}

func isVersionError(t *testing.T, err error, want tenant.VersionError) {
	t.Helper()
	isOnly(t, err, tenant.ErrVersion)
	var got *tenant.VersionError
	require.ErrorAs(t, err, &got)
	require.Equal(t, want, *got)
}

// fields returns the fields that err and the errors that it joins complain of.
func fields(err error) []string {
	switch e := err.(type) { //nolint:errorlint // it walks the tree itself
	case nil:
		return nil
	case *tenant.FieldError:
		return []string{e.Field}
	case interface{ Unwrap() []error }:
		var all []string
		for _, err := range e.Unwrap() {
			all = append(all, fields(err)...)
		}
		return all
	default:
		return fields(errors.Unwrap(err))
	}
}
