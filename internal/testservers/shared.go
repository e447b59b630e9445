package testservers

import (
	"context"
	"errors"
	"os"
	"sync"
	"testing"
)

// requireServers is the environment variable that makes a missing program a failure.
const requireServers = "PAIRDB_REQUIRE_SERVERS"

// NewPostgres starts a PostgreSQL server of the test's own, and closes it after the test. The test is
// skipped where the program is missing, and fails instead if PAIRDB_REQUIRE_SERVERS is set.
func NewPostgres(tb testing.TB) *Postgres {
	tb.Helper()
	p, err := StartPostgres(tb.TempDir())
	demand(tb, err)
	tb.Cleanup(func() { finish(tb, &p.server) })
	return p
}

// NewRedis does the same with Redis. The args are as for StartRedis.
func NewRedis(tb testing.TB, args ...string) *Redis {
	tb.Helper()
	r, err := StartRedis(tb.TempDir(), args...)
	demand(tb, err)
	tb.Cleanup(func() { finish(tb, &r.server) })
	return r
}

// SharedPostgres makes an empty database on the one server of the test binary, and drops it after the test, with
// whoever is still connected. Main stops the server.
func SharedPostgres(tb testing.TB) string {
	tb.Helper()
	p, err := shared.startPostgres()
	demand(tb, err)
	name, err := p.createDatabase(tb.Context())
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := p.exec(context.Background(), "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)"); err != nil {
			tb.Error(err)
		}
	})
	return p.URL(name)
}

// SharedRedis empties the one server of the test binary and returns its address. Tests
// that use it do not run in parallel. Main stops the server.
func SharedRedis(tb testing.TB) string {
	tb.Helper()
	r, err := shared.startRedis()
	demand(tb, err)
	if err := r.flush(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	return r.Addr()
}

// Main runs the tests and then closes the shared servers. It returns the code to exit with.
func Main(m *testing.M) int { return Tests{M: m}.Run() }

// Tests is a *testing.M whose Run closes the shared servers at its end, as goleak.VerifyTestMain wants it.
type Tests struct{ M *testing.M }

// Run returns the code to exit with.
func (t Tests) Run() int {
	code := t.M.Run()
	if err := shared.close(); err != nil {
		_, _ = os.Stderr.WriteString(err.Error() + "\n") // nowhere else to say it
		code = max(code, 1)
	}
	return code
}

func demand(tb testing.TB, err error) {
	tb.Helper()
	switch {
	case err == nil:
	case errors.Is(err, ErrMissing) && os.Getenv(requireServers) == "":
		tb.Skip(err)
	default:
		tb.Fatal(err)
	}
}

func finish(tb testing.TB, s *server) {
	if tb.Failed() {
		tb.Logf("%s on port %d%s", s.name, s.port, s.logTail())
	}
	if err := s.Close(); err != nil {
		tb.Error(err)
	}
}

// shared holds the servers that all tests of a binary use. A package's tests have no other place to keep them.
var shared sharedServers

type sharedServers struct {
	mu       sync.Mutex
	postgres *Postgres // guarded by mu; nil before the first test that wants it
	redis    *Redis    // the same
}

func (s *sharedServers) startPostgres() (_ *Postgres, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.postgres == nil {
		s.postgres, err = StartPostgres("")
	}
	return s.postgres, err
}

func (s *sharedServers) startRedis() (_ *Redis, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.redis == nil {
		s.redis, err = StartRedis("")
	}
	return s.redis, err
}

func (s *sharedServers) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var err error
	if s.postgres != nil {
		err = s.postgres.Close()
	}
	if s.redis != nil {
		err = errors.Join(err, s.redis.Close())
	}
	s.postgres, s.redis = nil, nil
	return err
}
