package forest

import "strconv"

// branch is a node still to be visited by grow.
type branch struct {
	id     int32 // in the file
	depth  int32
	parent int32 // in the grown tree, or none
	right  bool
}

// grow copies what can be reached from node 0 of a file's tree, parents first.
// size is the number of nodes in the file; at gives one of them, with its
// children by their numbers in the file. Nodes that pruning left behind are
// never looked at. A child outside the tree, a node reached twice and a tree
// deeper than the limit are refused.
func grow(size, depth int, at func(id int32) (node, error)) ([]node, error) {
	if size < 1 {
		return nil, broken("no nodes")
	}
	var nodes []node
	reached := make([]bool, size)
	for todo := []branch{{parent: none}}; len(todo) > 0; {
		b := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		n, err := visit(b, depth, reached, at)
		if err != nil {
			return nil, within("node "+strconv.Itoa(int(b.id)), err)
		}
		self := int32(len(nodes))
		if n.feature != leaf {
			todo = append(todo, branch{n.right, b.depth + 1, self, true}, branch{n.left, b.depth + 1, self, false})
		}
		nodes = append(nodes, n)
		b.hang(nodes, self)
	}
	return nodes, nil
}

func visit(b branch, depth int, reached []bool, at func(id int32) (node, error)) (node, error) {
	switch {
	case reached[b.id]:
		return node{}, broken("is reached twice: the tree has a cycle or a shared branch")
	case int(b.depth) > depth:
		return node{}, unsupported("is %d splits deep, more than the %d that are read: train with a max_depth", b.depth, depth)
	}
	reached[b.id] = true
	n, err := at(b.id)
	if err == nil && n.feature != leaf {
		err = checkChildren(n, len(reached))
	}
	return n, err
}

func checkChildren(n node, size int) error {
	for _, child := range []int32{n.left, n.right} {
		if child < 0 || int(child) >= size {
			return broken("its child %d is outside 0..%d", child, size-1)
		}
	}
	return nil
}

// hang makes node self a child of the branch's parent.
func (b branch) hang(nodes []node, self int32) {
	switch {
	case b.parent == none:
	case b.right:
		nodes[b.parent].right = self
	default:
		nodes[b.parent].left = self
	}
}
