//! Wellfield: a bank's grid ledgers in, household credit grades with reasons and grant limits out, every night the
//! same way. The stages stand here in the order in which data flows; each may use only those above it.

// What every stage speaks: faults, exact numbers, days, what a table holds, and text in columns.
pub mod calendar;
pub mod decimal;
pub mod fault;
pub mod contract;
pub mod in_order;
pub mod layout;
pub mod watch;

// The stages.
pub mod rulebook;
pub mod previous;
pub mod read;
pub mod clean;
pub mod register;
pub mod visits;
pub mod facts;
pub mod score;
pub mod grade;
pub mod limit;
pub mod coverage;
pub mod indicators;
pub mod outputs;
pub mod definitions;
pub mod night;
pub mod explanation;
pub mod listing;
pub mod comparison;
pub mod regulator;
pub mod audit;
pub mod manifest;
pub mod report;
pub mod lineage;
pub mod metrics;
pub mod generate;
pub mod publish;
