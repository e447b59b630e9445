package tenant

import (
	"context"
	"errors"
	"fmt"
)

// Static returns a Reader of exactly the given tenants. Replicas of 0 is
// DefaultReplicas. A config that breaks a rule, or an id that occurs twice, is
// ErrInvalid; the error names every offender by its id and field.
func Static(configs ...Config) (Reader, error) {
	r := staticReader{configs: make(map[string]Config, len(configs))}
	var errs []error
	for i, c := range configs {
		c = withDefaults(c)
		if err := c.Validate(); err != nil {
			errs = append(errs, fmt.Errorf("config %d (%q): %w", i, c.ID, err))
			continue
		}
		if _, twice := r.configs[c.ID]; twice {
			err := &FieldError{Field: "ID", Reason: "occurs twice"}
			errs = append(errs, fmt.Errorf("config %d (%q): %w", i, c.ID, err))
			continue
		}
		r.configs[c.ID] = c
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return r, nil
}

// staticReader's map is never written to after Static has returned it.
type staticReader struct {
	configs map[string]Config
}

// Immediate implements tenant.Immediate.
func (r staticReader) Immediate() {}

func (r staticReader) Get(_ context.Context, id string) (Config, error) {
	if c, ok := r.configs[id]; ok {
		return c, nil
	}
	if err := ValidID(id); err != nil {
		return Config{}, err
	}
	return Config{}, fmt.Errorf("tenant %q: %w", id, ErrNotFound)
}
