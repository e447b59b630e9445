package ring_test

import (
	"fmt"

	"github.com/devrev/pairdb/ring"
)

func ExampleNew() {
	nodes := []ring.Node{
		{ID: "n1", Zone: "a"}, {ID: "n2", Zone: "a"},
		{ID: "n3", Zone: "b"}, {ID: "n4", Zone: "b"},
		{ID: "n5", Zone: "c"}, {ID: "n6", Zone: "c", Weight: 2},
	}
	r, err := ring.New(ring.Config{}, nodes)
	if err != nil {
		fmt.Println(err)
		return
	}
	token := r.Token("acme", "user/4711")
	partition := r.Partition(token)
	fmt.Printf("token %016x, partition %d of %d\n", token, partition, r.Partitions())
	for _, owner := range r.Owners(partition, 3) {
		fmt.Println(nodes[owner].ID, nodes[owner].Zone)
	}
	// Output:
	// token bc6802bd8fa83200, partition 3014 of 4096
	// n6 c
	// n3 b
	// n2 a
}
