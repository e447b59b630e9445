package tenant

import "context"

// Any returns a Reader for which every valid id is a tenant: three replicas, the
// client's levels, causal.
func Any() Reader { return anyReader{Config{Replicas: DefaultReplicas}} }

// AnyWith is Any with another config for all. c.ID must be empty, as each answer has
// the id that was asked for; c.Replicas of 0 is DefaultReplicas. The error is
// ErrInvalid, by field.
func AnyWith(c Config) (Reader, error) {
	if c.ID != "" {
		return nil, &FieldError{Field: "ID", Reason: "is set, where the config is for every tenant"}
	}
	c = withDefaults(c)
	c.ID = "any"
	if err := c.Validate(); err != nil {
		return nil, err
	}
	return anyReader{c}, nil
}

type anyReader struct {
	config Config
}

// Immediate implements tenant.Immediate.
func (r anyReader) Immediate() {}

func (r anyReader) Get(_ context.Context, id string) (Config, error) {
	if err := ValidID(id); err != nil {
		return Config{}, err
	}
	c := r.config
	c.ID = id
	return c, nil
}

func withDefaults(c Config) Config {
	if c.Replicas == 0 {
		c.Replicas = DefaultReplicas
	}
	return c
}
