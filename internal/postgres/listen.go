package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	// pingEvery is how long a listening connection may be silent before it is asked whether the
	// server is still there. It bounds how long a dead one goes unnoticed, with limit.
	pingEvery = 30 * time.Second
	// limit bounds each exchange of a listening connection with the server, connecting included.
	limit = 10 * time.Second
	// farewell bounds the goodbye to a server that may be gone.
	farewell = time.Second
)

// errGone ends what the driver would send to a server that has been given up.
var errGone = errors.New("the connection is not made again")

// Listen connects, listens on a channel, calls onListening, and then on with the payload of each
// notification, both from the caller's goroutine, until ctx ends or the connection breaks,
// and returns why. A server that does not answer any more is noticed within 40 seconds.
//
// The connection is made as the pool makes its own, BeforeConnect and AfterConnect included, but
// is none of the pool's: it is held throughout, which a small pool could not bear.
func Listen(ctx context.Context, pool *pgxpool.Pool, channel string, onListening func(), on func(payload string)) error {
	return listen(ctx, pool, channel, pingEvery, limit, onListening, on)
}

func listen(ctx context.Context, pool *pgxpool.Pool, channel string, every, limit time.Duration,
	onListening func(), on func(payload string),
) error {
	doing := "listen on " + channel
	conn, err := connect(ctx, pool, channel, limit)
	if conn != nil {
		defer hangUp(conn)
	}
	if err != nil {
		return Explain(ctx, doing, err)
	}
	onListening()
	for {
		waiting, cancel := context.WithTimeout(ctx, every)
		n, err := conn.WaitForNotification(waiting)
		cancel()
		switch {
		case err == nil:
			on(n.Payload)
		case ctx.Err() != nil, conn.IsClosed(), !pgconn.Timeout(err):
			return Explain(ctx, doing, err)
		default:
			if err := ping(ctx, conn, limit); err != nil {
				return Explain(ctx, doing, err)
			}
		}
	}
}

// connect returns the connection also where only the listening fails.
func connect(ctx context.Context, pool *pgxpool.Pool, channel string, limit time.Duration) (*pgx.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	config := pool.Config()
	c := config.ConnConfig
	if config.BeforeConnect != nil {
		if err := config.BeforeConnect(ctx, c); err != nil {
			return nil, fmt.Errorf("before connecting: %w", err)
		}
	}
	c.OnNotification = nil // with another's handler WaitForNotification would see none
	// The driver cancels a statement that it gives up, on a goroutine and a connection of their own.
	// Here there is nothing to cancel, and the goroutine is to end with Listen (invariant 5).
	var connected atomic.Bool
	dial := c.DialFunc
	c.DialFunc = func(ctx context.Context, network, addr string) (net.Conn, error) {
		if connected.Load() {
			return nil, errGone
		}
		return dial(ctx, network, addr)
	}
	conn, err := pgx.ConnectConfig(ctx, c)
	connected.Store(true)
	if err != nil {
		return nil, err
	}
	if config.AfterConnect != nil {
		if err := config.AfterConnect(ctx, conn); err != nil {
			return conn, fmt.Errorf("after connecting: %w", err)
		}
	}
	_, err = conn.Exec(ctx, "LISTEN "+pgx.Identifier{channel}.Sanitize(), pgx.QueryExecModeSimpleProtocol)
	return conn, err
}

func ping(ctx context.Context, conn *pgx.Conn, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return conn.Ping(ctx)
}

// hangUp returns when nothing of the connection is left.
func hangUp(conn *pgx.Conn) {
	if !conn.IsClosed() {
		ctx, cancel := context.WithTimeout(context.Background(), farewell)
		defer cancel()
		_ = conn.Close(ctx) // there is nothing to do about it
		return
	}
	_ = conn.PgConn().Conn().Close() // the driver's own goodbye could take seconds
	<-conn.PgConn().CleanupDone()
}
