package forest

// xgbFile is what is wanted of an XGBoost document, as it stands there. Names
// are those of the file; the layout is that of XGBoost 1.7.4 and 3.4.1.
type xgbFile struct {
	version      []int32
	names, types []string
	best         string // attributes.best_iteration, a text; empty when absent
	baseScore    string // "5E-1", and from 3.1 "[5E-1]"
	classes      string
	targets      string
	features     string
	objective    string
	booster      xgbBooster
}

// xgbBooster is learner.gradient_booster. Version 1.7 wraps the trees of dart
// in one object more; 3.4 writes dart as gbtree with weight_drop in its model.
type xgbBooster struct {
	name       string
	trees      []xgbTree
	treeInfo   []int32 // the class of each tree
	indptr     []int32 // iteration_indptr: first tree of each round, and the end
	parallel   string  // num_parallel_tree
	leafVector string
	dropped    []float32 // weight_drop, one a tree, of dart
	weights    []float32 // of gblinear
	rounds     string    // boosted_rounds, of gblinear
	categories []xgbCategories
	nodes      int
}

// xgbTree is one entry of model.trees; the arrays have one entry a node.
type xgbTree struct {
	left, right, feature []int32
	condition            []float32 // the value of a leaf
	defaultLeft          []int32
	splitType            []int32 // 1 for a category
	// The categories of node categoryNodes[k] are sizes[k] from segments[k].
	categoryNodes, segments, sizes, categories []int32
	count, leafVector                          string
}

// xgbCategories is one entry of model.cats.enc, which XGBoost 3.1 and later
// write: texts as Arrow keeps them, or whole numbers without offsets.
type xgbCategories struct {
	offsets []int32
	values  []int64
	typed   bool // whole numbers
}

// xgbReader takes an xgbFile out of a document.
type xgbReader struct {
	decoder
	limits limits
	file   xgbFile
}

func readXGBoost(source tokens, lim limits) (*Model, error) {
	r := &xgbReader{limits: lim, decoder: decoder{
		tokens:  source,
		numbers: numbersPerNode * lim.nodes,
		names:   2*lim.features + lim.categories,
	}}
	if err := r.object(r.top); err != nil {
		return nil, err
	}
	if err := r.expect(endOfFile); err != nil {
		return nil, err
	}
	return r.file.model(lim)
}

func (r *xgbReader) top(key string) (wanted bool, err error) {
	switch key {
	case "version":
		r.file.version, err = r.int32s(3)
	case "learner":
		err = r.object(r.learner)
	default:
		return false, nil
	}
	return true, err
}

func (r *xgbReader) learner(key string) (wanted bool, err error) {
	f := &r.file
	switch key {
	case "attributes":
		err = r.textFields(map[string]*string{"best_iteration": &f.best})
	case "feature_names":
		f.names, err = r.texts()
	case "feature_types":
		f.types, err = r.texts()
	case "gradient_booster":
		err = r.object(r.booster)
	case "learner_model_param":
		err = r.textFields(map[string]*string{"base_score": &f.baseScore, "num_class": &f.classes,
			"num_target": &f.targets, "num_feature": &f.features})
	case "objective":
		err = r.textFields(map[string]*string{"name": &f.objective})
	default:
		return false, nil
	}
	return true, err
}

// textFields takes an object of texts, of which a few are wanted.
func (r *xgbReader) textFields(wanted map[string]*string) error {
	return r.object(func(key string) (bool, error) {
		to := wanted[key]
		if to == nil {
			return false, nil
		}
		s, err := r.text()
		*to = s
		return true, err
	})
}

// booster takes a key of gradient_booster, of its model, or of the gbtree
// within a dart of 1.7: no key means two things.
func (r *xgbReader) booster(key string) (wanted bool, err error) {
	b := &r.file.booster
	switch key {
	case "name":
		b.name, err = r.text()
	case "model":
		err = r.object(r.booster)
	case "gbtree":
		outer := b.name
		err = r.object(r.booster)
		b.name = outer
	case "weight_drop":
		b.dropped, err = r.float32s(r.limits.trees)
	case "weights":
		b.weights, err = r.float32s(r.limits.features + 1)
	case "boosted_rounds":
		b.rounds, err = r.text()
	case "gbtree_model_param":
		err = r.textFields(map[string]*string{"num_parallel_tree": &b.parallel, "size_leaf_vector": &b.leafVector})
	case "tree_info":
		b.treeInfo, err = r.int32s(r.limits.trees)
	case "iteration_indptr":
		b.indptr, err = r.int32s(r.limits.trees + 1)
	case "trees":
		err = r.trees()
	case "cats":
		err = r.object(r.cats)
	default:
		return false, nil
	}
	return true, err
}

func (r *xgbReader) trees() error {
	b := &r.file.booster
	b.trees, b.nodes = nil, 0
	return r.array(func(i int) error {
		if err := checkCount(i+1, r.limits.trees, "trees"); err != nil {
			return err
		}
		var t xgbTree
		err := r.object(func(key string) (bool, error) { return r.tree(key, &t) })
		if err != nil {
			return err
		}
		b.trees = append(b.trees, t)
		b.nodes += len(t.left)
		return checkCount(b.nodes, r.limits.nodes, "nodes")
	})
}

func (r *xgbReader) tree(key string, t *xgbTree) (wanted bool, err error) {
	if key == "split_conditions" {
		t.condition, err = r.float32s(r.limits.nodes)
		return true, err
	}
	if key == "tree_param" {
		return true, r.textFields(map[string]*string{"num_nodes": &t.count, "size_leaf_vector": &t.leafVector})
	}
	to := map[string]*[]int32{
		"left_children": &t.left, "right_children": &t.right, "split_indices": &t.feature,
		"default_left": &t.defaultLeft, "split_type": &t.splitType,
		"categories_nodes": &t.categoryNodes, "categories_segments": &t.segments,
		"categories_sizes": &t.sizes, "categories": &t.categories,
	}[key]
	if to == nil {
		return false, nil
	}
	*to, err = r.int32s(r.limits.nodes)
	return true, err
}

func (r *xgbReader) cats(key string) (wanted bool, err error) {
	if key != "enc" {
		return false, nil
	}
	b := &r.file.booster
	b.categories = nil
	return true, r.array(func(i int) error {
		if err := checkCount(i+1, r.limits.features, "features with categories"); err != nil {
			return err
		}
		var c xgbCategories
		err := r.object(func(key string) (bool, error) { return r.encoding(key, &c) })
		b.categories = append(b.categories, c)
		return err
	})
}

func (r *xgbReader) encoding(key string, c *xgbCategories) (wanted bool, err error) {
	switch key {
	case "offsets":
		c.offsets, err = r.int32s(r.limits.categories + 1)
	case "values":
		c.values, err = numbers(&r.decoder, r.limits.categoryBytes, token.int64)
	case "type":
		c.typed = true
		return false, nil
	default:
		return false, nil
	}
	return true, err
}
