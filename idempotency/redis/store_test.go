//pairdb:needs redis

package redis_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/idempotency"
	"github.com/devrev/pairdb/idempotency/redis"
	"github.com/devrev/pairdb/internal/testservers"
	"github.com/devrev/pairdb/vclock"
)

func TestOfManyWhoBeginOneKeyAtOnceExactlyOneIsToldThatItIsItsOwn(t *testing.T) {
	const callers = 64
	addr := testservers.SharedRedis(t)
	var stores []*redis.Store
	for range 4 { // as many processes
		stores = append(stores, storeOn(t, clientOf(t, addr)))
	}
	for _, key := range []string{"a", "b", "c", "d"} {
		key := idempotency.Key{Cluster: "c1", Tenant: "shop", Key: key, Token: "token"}
		var mine atomic.Int64
		dots := make([]vclock.Dot, callers)
		var all sync.WaitGroup
		start := make(chan struct{})
		for n := range callers {
			all.Go(func() {
				<-start
				rec, own, err := stores[n%len(stores)].Begin(context.Background(), key, write(uint64(n+1), "v"), long)
				if err == nil && own {
					mine.Add(1)
				}
				dots[n] = rec.Intent.Dot()
			})
		}
		close(start)
		all.Wait()
		require.EqualValues(t, 1, mine.Load())
		for _, dot := range dots {
			require.Equal(t, dots[0], dot, "all were told of the same write")
		}
		require.NotZero(t, dots[0])
	}
}

func TestCompletingOnceMoreChangesNothingWhateverTheResultWas(t *testing.T) {
	s, _ := shared(t)
	i := write(1, "v")
	for _, first := range []idempotency.Result{{Acked: 2, Owners: 3}, {Acked: 2, Owners: 3, Superseded: true}} {
		key := someKey
		key.Token = fmt.Sprint(first.Superseded)
		require.NoError(t, s.Complete(t.Context(), key, i, first, long))
		require.NoError(t, s.Complete(t.Context(), key, i, idempotency.Result{Acked: 1, Owners: 1}, long))
		rec, mine := begin(t, s, key, i)
		require.True(t, mine && rec.Done)
		require.Equal(t, first, rec.Result)
	}
}

func TestScriptsThatTheServerHasForgottenAreSentAgain(t *testing.T) {
	s, client := shared(t)
	forget := func() { require.NoError(t, client.ScriptFlush(t.Context()).Err()) }
	_, mine := begin(t, s, someKey, write(1, "v"))
	require.True(t, mine)
	forget()
	_, mine = begin(t, s, someKey, write(2, "v"))
	require.False(t, mine)
	forget()
	_, mine, err := s.Replace(t.Context(), someKey, write(1, "").Dot(), write(2, "v"), long)
	require.NoError(t, err)
	require.True(t, mine)
	forget()
	require.NoError(t, s.Complete(t.Context(), someKey, write(2, "v"), result, long))
	rec, found, err := s.Lookup(t.Context(), someKey)
	require.NoError(t, err)
	require.True(t, found && rec.Done)
}

func TestEachCallIsOneRoundTripOnceTheScriptIsThere(t *testing.T) {
	s, client := shared(t, redis.AllowEviction())
	i := write(1, "v")
	calls := []func() error{
		func() error { _, _, err := s.Begin(t.Context(), someKey, i, long); return err },
		func() error { _, _, err := s.Replace(t.Context(), someKey, i.Dot(), i, long); return err },
		func() error { return s.Complete(t.Context(), someKey, i, result, long) },
		func() error { _, _, err := s.Lookup(t.Context(), someKey); return err },
	}
	for _, call := range calls {
		require.NoError(t, call()) // the scripts are sent, and a connection is made
	}
	var sent counter
	client.AddHook(&sent)
	for _, call := range calls {
		before := sent.commands
		require.NoError(t, call())
		require.Equal(t, before+1, sent.commands)
	}
}

// A counter counts the commands that are sent.
type counter struct{ commands int }

func (c *counter) DialHook(next goredis.DialHook) goredis.DialHook { return next }
func (c *counter) ProcessHook(next goredis.ProcessHook) goredis.ProcessHook {
	return func(ctx context.Context, cmd goredis.Cmder) error {
		c.commands++
		return next(ctx, cmd)
	}
}
func (c *counter) ProcessPipelineHook(next goredis.ProcessPipelineHook) goredis.ProcessPipelineHook {
	return next
}

func TestABeginWhoseAnswerWasLostIsTriedAgainAndStillItsOwn(t *testing.T) {
	addr := testservers.SharedRedis(t)
	var lose atomic.Bool
	client := closing(t, goredis.NewClient(&goredis.Options{
		Addr: addr, MaxRetries: 1, ContextTimeoutEnabled: true,
		Dialer: func(ctx context.Context, network, addr string) (net.Conn, error) {
			conn, err := new(net.Dialer).DialContext(ctx, network, addr)
			return &losing{Conn: conn, lose: &lose}, err
		},
	}))
	s := storeOn(t, client)
	other := idempotency.Key{Cluster: "c1", Tenant: "shop", Key: "other", Token: "token"}
	begin(t, s, other, write(1, "v")) // the script is there, and the connection
	_, _, err := s.Replace(t.Context(), other, write(1, "").Dot(), write(2, "v"), long)
	require.NoError(t, err)

	lose.Store(true)
	rec, mine := begin(t, s, someKey, write(1, "v"))
	require.False(t, lose.Load(), "an answer was lost")
	require.True(t, mine)
	require.Equal(t, write(1, "").Dot(), rec.Intent.Dot())

	lose.Store(true)
	_, mine, err = s.Replace(t.Context(), someKey, write(1, "").Dot(), write(2, "v"), long)
	require.NoError(t, err)
	require.False(t, lose.Load())
	require.True(t, mine)
}

// A losing connection breaks instead of handing on an answer, once for each time that lose is set.
type losing struct {
	net.Conn
	lose *atomic.Bool
}

func (l *losing) Read(b []byte) (int, error) {
	n, err := l.Conn.Read(b)
	if err == nil && l.lose.CompareAndSwap(true, false) {
		return 0, errors.Join(io.ErrUnexpectedEOF, l.Close())
	}
	return n, err
}

func TestEveryRecordHasATimeToLive(t *testing.T) {
	s, client := shared(t)
	left := func() time.Duration { return client.PTTL(t.Context(), s.RecordName(someKey)).Val() }
	begin(t, s, someKey, write(1, "v"))
	require.Positive(t, left())
	require.LessOrEqual(t, left(), long)
	_, _, err := s.Replace(t.Context(), someKey, write(1, "").Dot(), write(2, "v"), 2*long)
	require.NoError(t, err)
	require.Greater(t, left(), long)
	for _, ttl := range []time.Duration{3 * long, 4 * long} { // the second meets a finished record
		require.NoError(t, s.Complete(t.Context(), someKey, write(2, "v"), result, ttl))
		require.Greater(t, left(), ttl-long)
	}

	_, _, err = s.Begin(t.Context(), idempotency.Key{Cluster: "c1", Tenant: "shop", Key: "soon", Token: "t"}, write(1, "v"), time.Nanosecond)
	require.NoError(t, err, "less than what Redis can express is rounded up")
	eventually(t, func(ctx context.Context) bool { return client.DBSize(ctx).Val() == 1 })
}

func TestTokensOfAnyBytesAreRecordsOfOneSlotAndOfBoundedName(t *testing.T) {
	s, client := shared(t)
	tokens := []string{"{a}{b}", "}{", "a\nb", "a\r\n$3\r\nfoo\r\n", "\x00", "' ; FLUSHALL", "*", "\xff\xfe", strings.Repeat("x", idempotency.MaxTokenBytes), "a:b", "a"}
	for n, token := range tokens {
		key := idempotency.Key{Cluster: "c1", Tenant: "shop", Key: "k{" + token, Token: token}
		name := s.RecordName(key)
		require.Regexp(t, `^pairdb:idem:c1:shop:[A-Za-z0-9_-]{32}$`, name)
		_, mine := begin(t, s, key, write(uint64(n+1), token))
		require.True(t, mine, "%q", token)
		require.EqualValues(t, n+1, client.DBSize(t.Context()).Val(), "%q", token)
	}
	for n, token := range tokens {
		rec, found, err := s.Lookup(t.Context(), idempotency.Key{Cluster: "c1", Tenant: "shop", Key: "k{" + token, Token: token})
		require.NoError(t, err)
		require.True(t, found)
		require.Equal(t, write(uint64(n+1), token), rec.Intent)
	}
	require.NotEqual(t, s.RecordName(idempotency.Key{Key: "ab", Token: "c"}), s.RecordName(idempotency.Key{Key: "a", Token: "bc"}))
}

func TestTheMemoryOfARecord(t *testing.T) {
	const records = 4096 // as many as make the server's tables full: no room for more is counted
	s, client := shared(t)
	each := func(do func(key idempotency.Key)) int64 {
		before := usedMemory(t, client)
		for n := range records {
			do(idempotency.Key{Cluster: "c1", Tenant: "shop", Key: strconv.Itoa(n), Token: "token"})
		}
		return (usedMemory(t, client) - before) / records
	}
	i := write(1, strings.Repeat("x", 100))
	begin(t, s, someKey, i)
	require.NoError(t, s.Complete(t.Context(), someKey, i, result, long)) // the scripts take memory too
	unfinished := each(func(key idempotency.Key) { begin(t, s, key, i) })
	saved := each(func(key idempotency.Key) { require.NoError(t, s.Complete(t.Context(), key, i, result, long)) })
	t.Logf("a record of a 100-byte value takes %d bytes of the server's memory, and %d when it is finished; %d of these are its own",
		unfinished, unfinished+saved, client.StrLen(t.Context(), s.RecordName(someKey)).Val())
	require.Negative(t, saved)
	require.LessOrEqual(t, unfinished, int64(450), "the package comment says so")
	require.LessOrEqual(t, unfinished+saved, int64(350), "the package comment says so")
}

func usedMemory(t *testing.T, client *goredis.Client) int64 {
	t.Helper()
	_, after, found := strings.Cut(client.Info(t.Context(), "memory").Val(), "used_memory:")
	require.True(t, found)
	number, _, _ := strings.Cut(after, "\r")
	used, err := strconv.ParseInt(number, 10, 64)
	require.NoError(t, err)
	return used
}
