//pairdb:needs redis

package redis_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/idempotency"
	"github.com/devrev/pairdb/idempotency/redis"
)

func TestWhatIsNoRecordIsErrDamagedAndStaysAsItIs(t *testing.T) {
	s, client := shared(t)
	whole := string(idempotency.AppendRecord(nil, idempotency.Record{Intent: write(1, "v")}))
	for what, there := range map[string]string{
		"nothing":            "",
		"text":               "hello",
		"a later version":    "\x02" + whole[1:],
		"a head alone":       whole[:1] + "\x02" + whole[2:idempotency.DotOffset+idempotency.DotLen],
		"less than a head":   whole[:idempotency.DotOffset+idempotency.DotLen-1],
		"flags of none":      whole[:1] + "\x04" + whole[2:],
		"flags of none done": whole[:1] + "\x07" + whole[2:],
	} {
		require.NoError(t, client.Set(t.Context(), s.RecordName(someKey), there, long).Err())
		requireDamaged(t, s, what)
		require.Equal(t, there, client.Get(t.Context(), s.RecordName(someKey)).Val(), what)
	}
}

func TestAKeyOfAnotherTypeIsErrDamagedAndStaysAsItIs(t *testing.T) {
	s, client := shared(t)
	require.NoError(t, client.LPush(t.Context(), s.RecordName(someKey), "x").Err())
	requireDamaged(t, s, "a list")
	requireAll(t, s, idempotency.ErrDamaged, "WRONGTYPE")
	require.Equal(t, []string{"x"}, client.LRange(t.Context(), s.RecordName(someKey), 0, -1).Val())
}

// requireDamaged replaces and completes the very dot that a broken record has in its head.
func requireDamaged(t *testing.T, s *redis.Store, what string) {
	t.Helper()
	_, found, err := s.Lookup(t.Context(), someKey)
	require.ErrorIs(t, err, idempotency.ErrDamaged, what)
	require.False(t, found)
	_, mine, err := s.Begin(t.Context(), someKey, write(1, "v"), long)
	require.ErrorIs(t, err, idempotency.ErrDamaged, what)
	require.False(t, mine)
	_, mine, err = s.Replace(t.Context(), someKey, write(1, "").Dot(), write(2, "w"), long)
	require.ErrorIs(t, err, idempotency.ErrDamaged, what)
	require.False(t, mine)
	err = s.Complete(t.Context(), someKey, write(1, "v"), result, long)
	require.ErrorIs(t, err, idempotency.ErrDamaged, what)
	require.NotErrorIs(t, err, idempotency.ErrReplaced)
}
