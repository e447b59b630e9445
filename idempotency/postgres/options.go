package postgres

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/devrev/pairdb/internal/postgres"
)

// DefaultSweepEvery is how often, at most, a Store removes expired records by itself.
const DefaultSweepEvery = time.Minute

// An Option sets an optional property of New.
type Option struct{ apply func(*Store) error }

// Schema sets the schema of the table: 1 to 63 bytes. The default is the first one of the
// connection's search_path, usually "public". Migrate makes a schema that is not there.
func Schema(name string) Option {
	return Option{func(s *Store) error {
		if err := postgres.CheckSchema(name); err != nil {
			return fmt.Errorf("Schema: %w: %w", ErrOption, err)
		}
		s.schema = name
		return nil
	}}
}

// SweepEvery sets how often the Store removes expired records by itself: at most once in d, in the
// background, while it is being written to. 0 is never: then somebody has to call Sweep.
// Default: DefaultSweepEvery.
func SweepEvery(d time.Duration) Option {
	return Option{func(s *Store) error {
		if d < 0 {
			return fmt.Errorf("SweepEvery: %w: %v is less than zero", ErrOption, d)
		}
		s.sweeper.every = d
		return nil
	}}
}

// Logger sets where the Store says that a sweep of its own has failed. Default: nowhere.
func Logger(l *slog.Logger) Option {
	return Option{func(s *Store) error {
		if l == nil {
			return fmt.Errorf("Logger: %w: it is nil", ErrOption)
		}
		s.sweeper.log = l
		return nil
	}}
}
