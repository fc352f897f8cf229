package main

const (
	commitFile  = "pipeline/publish/commit.go"
	projectFile = "pipeline/publish/project.go"
	pruneFile   = "pipeline/publish/prune.go"
	nightFile   = "pipeline/pipeline.go"
	reportFile  = "pipeline/report.go"
	sealFile    = "pipeline/seal.go"
)

// variants are the mistakes that the protocol is there to avoid.
var variants = []variant{
	{"blind commit", "others", "I4", []edit{{commitFile, createEntry, `now, _ := l.bucket.Stat(ctx, entryKey(d, e.Seq))
	if _, err = l.bucket.Replace(ctx, entryKey(d, e.Seq), data, now.Generation); err == nil {`}}},

	{"log read after the inputs and the work", "others", "I3", []edit{{nightFile, commit, `if r.log, err = r.ledger.Log(ctx, r.Date); err != nil {
		return nil, err
	}
	` + commit}}},

	{"clean-up without a fence", "clean-up", "I6", []edit{{pruneFile, fence, ""}}},

	{"manifest before the shards", "others", "I2", []edit{
		{reportFile, "\t\"context\"\n", "\t\"context\"\n\t\"encoding/hex\"\n"},
		{reportFile, "w, err := r.Output.CreateBytes(ctx, key, f.data)", `sum, err := sha256.Sum256(f.data), error(nil)
		w := objstore.Written{Size: int64(len(f.data)), SHA256: hex.EncodeToString(sum[:]), CRC32C: objstore.ChecksumOf(f.data).CRC32C}
		r.later = append(r.later, func() error {
			_, err := r.Output.CreateBytes(ctx, key, f.data)
			return err
		})`},
		{nightFile, "\twarnings          []string\n", "\twarnings          []string\n\tlater             []func() error\n"},
		{sealFile, `if err := r.readBack(ctx); err != nil {
		return "", err
	}
	return r.ledger.Seal(ctx, r.manifest)`, `sum, err := r.ledger.Seal(ctx, r.manifest)
	for _, write := range r.later {
		err = errors.Join(err, write())
	}
	return sum, errors.Join(err, r.readBack(ctx))`},
	}},

	{"refused commit taken as failure", "others", "I8", []edit{{commitFile, settle, `if errors.Is(err, objstore.ErrPrecondition) {
		return Entry{}, fmt.Errorf("not published: %w", err)
	}
	` + settle}}},

	{"no check at admission", "others", "I3", []edit{{"pipeline/publish/admit.go", "case !found || force:", "case found || !found:"}}},

	{"projecting one's own date", "dates", "I7", []edit{
		{"pipeline/publish/ledger.go", "\tclaimed    bool\n", "\tclaimed    bool\n\tmine       *Log\n"},
		{"pipeline/publish/log.go", "\tg := Log{Date: d}\n", "\tg := Log{Date: d}\n\tif l.mine == nil {\n\t\tl.mine = &g\n\t}\n"},
		{projectFile, "newest, err := l.Newest(ctx, 1)", `mine, err := l.Log(ctx, l.mine.Date)
	newest := []Log{mine}`},
	}},

	{"projection that goes backwards", "dates", "I5", []edit{{projectFile, "if there.after(target) {", "if false {"}}},

	{"projection without a condition", "dates", "I5", []edit{{projectFile, "switch _, err = l.bucket.Replace(ctx, latestKey, data, now.generation); {",
		`attrs, _ := l.bucket.Stat(ctx, latestKey)
	switch _, err = l.bucket.Replace(ctx, latestKey, data, attrs.Generation); {`}}},

	// The explorer's store has no files: this one is caught by the acceptance suite
	// that the local store must pass.
	{"rename used as create-if-absent", "go test ./pipeline/objstore/file -run TestConformance", "TestConformance", []edit{{
		"pipeline/objstore/file/upload.go", `err := u.root.Link(u.temporary, u.key)
	if errors.Is(err, fs.ErrExist) {
		return objstore.ErrPrecondition
	}
	if err != nil {
		return err
	}
	return u.root.Remove(u.temporary)`, `return u.root.Rename(u.temporary, u.key)`,
	}}},

	{"expiry of an effective run", "expiry", "I6", []edit{{pruneFile,
		"return slices.DeleteFunc(due, func(run string) bool { return run == effective.Run }), nil", "return due, nil"}}},

	{"clean-up that lists after its fence", "clean-up", "I6", []edit{{pruneFile, fence, fence + `	there, err := c.list(ctx, runsFolder, log.Date)
	if err != nil {
		return err
	}
	there = slices.DeleteFunc(there, func(r folder) bool { return log.published(r.name) })
`}}},

	{"expiry named after the shards are deleted", "expiry", "I6", []edit{{pruneFile, expire, `there, err := c.list(ctx, runsFolder, log.Date)
	for _, r := range there {
		if err == nil && slices.Contains(due, r.name) {
			err = c.delete(ctx, log.Date, r.shards(), &c.done.Expired)
		}
	}
	if err != nil {
		return log, err
	}
	` + expire}}},

	{"expiry that takes the manifest as well", "expiry", "I6", []edit{{pruneFile, "c.delete(ctx, d, r.shards(), &c.done.Expired)", "c.delete(ctx, d, r, &c.done.Expired)"}}},

	{"expiry of what latest shows", "expiry", "I5", []edit{{pruneFile, "if _, err := c.Project(ctx); err != nil {", "if err := ctx.Err(); err != nil {"}}},

	{"rollback to an expired run", "expiry", "I6", []edit{{"pipeline/publish/operator.go", `if g.Expired(e.Run) {
		return Entry{}, fmt.Errorf("%w: entry %d: %w", ErrTarget, to, ErrExpired)
	}
`, ""}}},

	{"the store's error believed", "others", "I8", []edit{{commitFile, settle, `return Entry{}, fmt.Errorf("not published: %w", err)`}}},

	{"an entry that is not there yet taken as never", "others", "I8", []edit{{commitFile,
		"case errors.Is(err, objstore.ErrNotExist) && isFinal(failure):", "case errors.Is(err, objstore.ErrNotExist):"}}},

	{"another's entry taken as one's own", "others", "I8", []edit{{commitFile, "case there.Run == ours.Run:", "case true:"}}},
}

// Texts of the product that more than one variant changes.
const (
	createEntry = "if _, err = l.bucket.CreateBytes(ctx, entryKey(d, e.Seq), data); err == nil {"
	settle      = "return l.settle(ctx, d, e.Seq, err)"
	commit      = "committed, err := r.ledger.Commit(ctx, r.log, entry)"
	expire      = "return c.extend(ctx, log, Entry{Expire: due}, Expiry)"
	fence       = `	if _, err := c.extend(ctx, log, Entry{Fence: c.Name}, Fence); err != nil {
		return err
	}
`
)
