package replica_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/devrev/pairdb/replica"
	"github.com/devrev/pairdb/storagepb"
)

type printer chan struct{}

func (p printer) Complete(op *replica.Op, r replica.Result) {
	fmt.Printf("read of %s: %v\n", op.Key, r.Err)
	fmt.Println("may have been applied:", r.Handed)
	close(p)
}

// The node of this example refuses connections.
func Example() {
	conn := replica.New(replica.Config{
		Cluster: "shop", Node: "n1", Addr: "10.0.0.1:7400",
		Dialer: func(context.Context, string) (net.Conn, error) { return nil, errors.New("connection refused") },
	})
	done := make(printer)
	op := &replica.Op{
		Kind: storagepb.Kind_READ_STATE, Tenant: "acme", Key: "cart/17",
		Deadline: time.Now().Add(time.Second), Handler: done,
	}
	if err := conn.Send(op); err == nil {
		<-done
	} else { // the first attempt was over before Send
		done.Complete(op, replica.Result{Err: err})
	}
	fmt.Println("closed:", conn.Close(context.Background()))
	// Output:
	// read of cart/17: n1 (10.0.0.1:7400): connection refused
	// may have been applied: false
	// closed: <nil>
}
