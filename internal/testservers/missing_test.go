//pairdb:needs postgres
//pairdb:needs redis

package testservers

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAMissingProgramIsErrMissingAndSaysHowToGetIt(t *testing.T) {
	t.Setenv("PATH", "")
	_, err := StartRedis(t.TempDir())
	require.ErrorIs(t, err, ErrMissing)
	require.ErrorContains(t, err, "apt-get install redis-server")
	_, err = findPostgres(filepath.Join(t.TempDir(), "*", "bin"))
	require.ErrorIs(t, err, ErrMissing)
	require.ErrorContains(t, err, "apt-get install postgresql")
}

func TestPostgresOutsideOfPathIsTheGreatestVersion(t *testing.T) {
	t.Setenv("PATH", "")
	top := t.TempDir()
	for _, v := range []string{"9", "15", "16"} {
		bin := filepath.Join(top, v, "bin")
		require.NoError(t, os.MkdirAll(bin, 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(bin, "initdb"), nil, 0o700))
		if v != "16" { // which is not whole
			require.NoError(t, os.WriteFile(filepath.Join(bin, "postgres"), nil, 0o700))
		}
	}
	found, err := findPostgres(filepath.Join(top, "*", "bin"))
	require.NoError(t, err)
	require.Equal(t, filepath.Join(top, "15", "bin", "postgres"), found.postgres)
}

func TestAMissingProgramSkipsATestUnlessServersAreRequired(t *testing.T) {
	t.Setenv("PATH", "")
	t.Setenv(requireServers, "")
	require.Equal(t, "skipped", outcome(t, func(tb testing.TB) { NewRedis(tb) }))
	t.Setenv(requireServers, "1")
	require.Equal(t, "failed", outcome(t, func(tb testing.TB) { NewRedis(tb) }))
}

func TestAServerThatDoesNotStartShowsTheEndOfItsLogAndLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	_, err := StartRedis(dir, "--no-such-setting", "1")
	require.ErrorContains(t, err, "Bad directive")
	require.NotErrorIs(t, err, ErrMissing)
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, left)
}

// A scriptedTB notes how it ended.
type scriptedTB struct {
	testing.TB
	ended string
}

func (s *scriptedTB) Skip(...any)  { s.ended = "skipped"; runtime.Goexit() }
func (s *scriptedTB) Fatal(...any) { s.ended = "failed"; runtime.Goexit() }

func outcome(t *testing.T, test func(testing.TB)) string {
	s := &scriptedTB{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		test(s)
	}()
	<-done
	return s.ended
}

func TestAPortThatAnotherServerTookIsNoticedAtTheFirstStartAndAtLaterOnes(t *testing.T) {
	r, other := NewRedis(t), NewRedis(t)
	require.NoError(t, r.Stop())
	own := r.port
	r.port = other.port
	require.ErrorIs(t, r.Start(), errPortTaken)
	r.port = own
	require.NoError(t, r.Start())

	p, otherP := NewPostgres(t), NewPostgres(t)
	require.NoError(t, p.Kill())
	own = p.port
	p.port = otherP.port
	require.ErrorIs(t, p.Start(), errPortTaken)
	p.port = own
	require.NoError(t, p.Start())
}
