package delivery

// Counts are of users, each counted once whatever the number of audiences:
// Previous + Entered - Left = Now, and Entered + Stayed + Moved = Now.
type Counts struct {
	Previous int64 `json:"previous"`
	Entered  int64 `json:"entered"`
	Left     int64 `json:"left"`
	Moved    int64 `json:"moved"`
	Stayed   int64 `json:"stayed"`
	Now      int64 `json:"now"`
}

// add adds the users of o, who are others.
func (c *Counts) add(o Counts) {
	c.Previous += o.Previous
	c.Entered += o.Entered
	c.Left += o.Left
	c.Moved += o.Moved
	c.Stayed += o.Stayed
	c.Now += o.Now
}

// count counts the user once.
func (u *user) count(was, is bool, steps []step) {
	add := func(n *int64, yes bool) {
		if yes {
			*n++
		}
	}
	moved := false
	for _, s := range steps {
		moved = moved || !s.Control && was && is && (s.change == Moved || s.change == Left)
	}
	add(&u.Previous, was)
	add(&u.Now, is)
	add(&u.Entered, is && !was)
	add(&u.Left, was && !is)
	add(&u.Moved, moved)
	add(&u.Stayed, was && is && !moved)
}
