// Package delivery hands a publication to a campaign tool, at most once.
//
// Publication has no memory and may be repeated; a message to a person may not.
// So every delivery keeps a log beside what is published, in which the intent is
// written down before anything is sent, and each file is claimed before it is put:
//
//	deliveries/<name>/<n>.intent.json     what delivery n sends: date, run, previous n, files
//	deliveries/<name>/<n>.<k>.claim.json  file k will be put by whoever wrote this, and by nobody else
//	deliveries/<name>/<n>.<k>.ack.json    file k is there
//	deliveries/<name>/<n>.done.json       no file of n will be put any more
//	deliveries/<name>/<n>/...             what n sends and what it changed of the state, never changed
//
// All of them are created if absent. The bytes of the files are staged before the
// intent, which names them: a delivery that was interrupted goes on from them,
// whatever the config says by then, and puts the files that nobody has claimed.
// A claim without an acknowledgement is uncertain: its writer died in between. The
// file may have arrived; it is reported and never put again, also not when the
// tool has taken the file away and its name is free.
//
// What a tool takes is a [Destination]. Its files are named
// <audience>/<audience>_<date>_<n>_<k>.<ext>; those of users to be taken out of a
// list end in _remove, as when a list of all members would be one of nobody. Where one
// row speaks for all audiences the name of the delivery stands for that of the
// audience. Such a row has the values of the first of its user's audiences, and the
// word audience names all of them, joined by commas in the order of the delivery.
//
// A user whose row the tool would not take is no member: it is counted and listed
// beside the delivery, and the next one tries again.
package delivery
