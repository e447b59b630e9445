package topology_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/devrev/pairdb/topology"
)

func ExampleAddrs() {
	src := topology.Addrs("shop", "n1=10.0.0.1:7400", "n2=10.0.0.2:7400", "n3=10.0.0.3:7400")

	current, err := src.Watch(context.Background(), 0)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(current.Cluster, "epoch", current.Epoch, "nodes", len(current.Nodes))
	// Output: shop epoch 1 nodes 3
}

func ExampleStatic() {
	src := topology.Static(topology.Topology{
		Cluster: "shop",
		Epoch:   1,
		Nodes: []topology.Node{
			{ID: "n1", Addr: "10.0.1.1:7400", Zone: "eu-1a", Weight: 2},
			{ID: "n2", Addr: "10.0.2.1", Zone: "eu-1b"},
		},
	})
	_, err := src.Watch(context.Background(), 0)
	fmt.Println(err)
	// Output: topology: Nodes[1].Addr: "10.0.2.1" is not host:port
}

func ExampleFile() {
	dir, err := os.MkdirTemp("", "topology")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()
	path := filepath.Join(dir, "topology.json")
	text := `{
  "cluster": "shop",
  "epoch": 7,
  "nodes": [
    {"id": "n1", "addr": "10.0.1.1:7400", "zone": "eu-1a"},
    {"id": "n2", "addr": "10.0.2.1:7400", "zone": "eu-1b", "state": "draining"}
  ]
}`
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		fmt.Println(err)
		return
	}

	current, err := topology.File(path).Watch(context.Background(), 0)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, n := range current.Nodes {
		fmt.Println(n.ID, n.Addr, n.Zone, n.State)
	}
	// Output:
	// n1 10.0.1.1:7400 eu-1a active
	// n2 10.0.2.1:7400 eu-1b draining
}

func ExampleManual() {
	src := topology.NewManual(topology.Topology{
		Cluster: "shop", Epoch: 1, Nodes: []topology.Node{{ID: "n1", Addr: "10.0.0.1:7400"}},
	})
	next := topology.Topology{
		Cluster: "shop", Epoch: 1, Nodes: []topology.Node{{ID: "n1", Addr: "10.0.0.9:7400"}},
	}
	fmt.Println(src.Set(next))

	next.Epoch = 2
	fmt.Println(src.Set(next))
	current, err := src.Watch(context.Background(), 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(current.Epoch, current.Nodes[0].Addr)
	// Output:
	// topology: Epoch: is still 1 though the topology has changed; raise it
	// <nil>
	// 2 10.0.0.9:7400
}

func ExampleTopology_Ring() {
	t := topology.Topology{Cluster: "shop", Epoch: 1, Nodes: []topology.Node{
		{ID: "n1", Addr: "10.0.1.1:7400", Zone: "a"}, {ID: "n2", Addr: "10.0.1.2:7400", Zone: "a"},
		{ID: "n3", Addr: "10.0.2.1:7400", Zone: "b"},
	}}
	r, err := t.Ring()
	if err != nil {
		fmt.Println(err)
		return
	}
	zones := map[string]bool{}
	for _, i := range r.Owners(0, 2) {
		zones[t.Nodes[i].Zone] = true
	}
	fmt.Println("zones of two owners:", len(zones))
	// Output: zones of two owners: 2
}
