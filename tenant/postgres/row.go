package postgres

import (
	"errors"
	"fmt"

	"github.com/devrev/pairdb/internal/postgres"
	"github.com/devrev/pairdb/quorum"
	"github.com/devrev/pairdb/tenant"
	"github.com/devrev/pairdb/vclock"
)

// policies are the policies by their names in the table.
var policies = map[string]vclock.Policy{"causal": vclock.Causal, "last-write-wins": vclock.LastWriteWins}

func policyName(p vclock.Policy) string {
	for name, policy := range policies {
		if policy == p {
			return name
		}
	}
	return p.String()
}

// decode holds invariant 2. The error is ErrDamaged, by row and column.
func decode(r postgres.Row) (tenant.Config, error) {
	c, err := columns(r)
	if err == nil {
		err = c.Validate()
	}
	if err == nil && c.Updated.Before(c.Created) {
		err = postgres.Wrong("updated", "is before created")
	}
	if err != nil {
		// Not wrapped: what is invalid is the row, not what the caller asked for.
		return tenant.Config{}, fmt.Errorf("%w of pairdb_tenants, id %s: %v", ErrDamaged, rowName(r), err) //nolint:errorlint // see above
	}
	return c, nil
}

func columns(r postgres.Row) (c tenant.Config, err error) {
	var errs []error
	whole := func(column string) int64 {
		n, err := r.Int(column)
		errs = append(errs, err)
		return n
	}
	level := func(column string) quorum.Level {
		name, err := r.Text(column)
		if err != nil {
			errs = append(errs, err)
			return quorum.Default
		}
		l, err := quorum.ParseLevel(name)
		if err != nil {
			errs = append(errs, postgres.Wrong(column, "%.64q is no level", name))
		}
		return l
	}
	c.ID, err = r.Text("id")
	errs = append(errs, err)
	c.Replicas = int(whole("replicas"))
	c.Read, c.Write = level("read_level"), level("write_level")
	c.Policy, err = policy(r)
	errs = append(errs, err)
	c.Limits.MaxValueBytes = int(whole("max_value_bytes"))
	version := whole("version")
	if version < 1 {
		errs = append(errs, postgres.Wrong("version", "%d is below 1", version))
	}
	c.Version = uint64(version) //nolint:gosec // below 1 is refused
	c.Created, err = r.Time("created")
	errs = append(errs, err)
	c.Updated, err = r.Time("updated")
	errs = append(errs, err)
	return c, errors.Join(errs...)
}

func policy(r postgres.Row) (vclock.Policy, error) {
	name, err := r.Text("policy")
	if err != nil {
		return vclock.Causal, err
	}
	p, ok := policies[name]
	if !ok {
		return vclock.Causal, postgres.Wrong("policy", "%.64q is neither causal nor last-write-wins", name)
	}
	return p, nil
}

// rowName is for people, and bounded.
func rowName(r postgres.Row) string {
	id, err := r.Text("id")
	if err != nil {
		return "unknown"
	}
	return fmt.Sprintf("%.128q", id)
}
