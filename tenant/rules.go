package tenant

import (
	"errors"
	"fmt"
	"time"
)

// The rules of a Store, for all implementations alike: an adapter that keeps tenants
// elsewhere decides by these functions, or checks what it decided with them. They ask nobody.

// Creation returns what a Store keeps for Create(c) at the time now: defaults filled in,
// Version 1, both times now. The error is ErrInvalid, by field.
func Creation(c Config, now time.Time) (Config, error) {
	c = withDefaults(c)
	err := c.Validate()
	if c.Version != 0 {
		err = errors.Join(err, &FieldError{Field: "Version", Reason: fmt.Sprintf("is %d, where a tenant that is yet to be created has 0", c.Version)})
	}
	if err != nil {
		return Config{}, fmt.Errorf("create tenant %q: %w", shorten(c.ID), err)
	}
	c.Version = 1
	c.Created = KeptTime(now)
	c.Updated = c.Created
	return c, nil
}

// Change returns what a Store keeps for Update(c) at the time now, where it has has:
// the levels and limits of c, Version one higher, Updated now, or as it was if the
// clock went back. The error is, in this order, ErrInvalid by field, a *VersionError, or
// ErrImmutable with a *FieldError for each field that cannot be changed.
func Change(has, c Config, now time.Time) (Config, error) {
	if err := c.Validate(); err != nil {
		return Config{}, fmt.Errorf("update tenant %q: %w", shorten(c.ID), err)
	}
	if c.Version != has.Version {
		return Config{}, &VersionError{ID: has.ID, Given: c.Version, Has: has.Version}
	}
	if err := checkImmutable(has, c); err != nil {
		return Config{}, fmt.Errorf("update tenant %q: %w", has.ID, err)
	}
	next := has
	next.Read, next.Write, next.Limits = c.Read, c.Write, c.Limits
	next.Version++
	if at := KeptTime(now); at.After(next.Updated) {
		next.Updated = at
	}
	return next, nil
}

// checkImmutable holds invariant 3.
func checkImmutable(has, c Config) error {
	var errs []error
	fixed := func(field, what string, is, asked any) {
		errs = append(errs, &FieldError{Field: field, Kind: ErrImmutable, Reason: fmt.Sprintf(
			"is %v and cannot be changed to %v: %s of a tenant is fixed when it is created, "+
				"so make a tenant with the one that you want and copy the keys to it", is, asked, what)})
	}
	if c.Replicas != has.Replicas {
		fixed("Replicas", "the replication factor", has.Replicas, c.Replicas)
	}
	if c.Policy != has.Policy {
		fixed("Policy", "the conflict policy", has.Policy, c.Policy)
	}
	return errors.Join(errs...)
}

// Removal returns nil if a Store that has has may do Delete with the given version, else a
// *VersionError.
func Removal(has Config, version uint64) error {
	if version != has.Version {
		return &VersionError{ID: has.ID, Given: version, Has: has.Version}
	}
	return nil
}

// Page returns how many tenants a Store's List(after, limit) may return. The error is
// ErrInvalid: limit is out of bounds, or after is neither "" nor could be an id.
func Page(after string, limit int) (int, error) {
	if after != "" {
		if err := ValidID(after); err != nil {
			return 0, fmt.Errorf("list tenants after %q: %w", shorten(after), err)
		}
	}
	if limit < 0 || limit > MaxList {
		return 0, fmt.Errorf("list tenants: %w",
			&FieldError{Field: "limit", Reason: fmt.Sprintf("%d is not in 0 to %d", limit, MaxList)})
	}
	if limit == 0 {
		return DefaultList, nil
	}
	return limit, nil
}

// KeptTime is t as a Store keeps it: in UTC and to the microsecond, so that every store can.
func KeptTime(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

func notFound(id string) error { return fmt.Errorf("tenant %q: %w", id, ErrNotFound) }

// shorten keeps what a caller passed for an id from filling an error's text.
func shorten(id string) string {
	if len(id) > MaxIDLen {
		return id[:MaxIDLen] + "…"
	}
	return id
}
