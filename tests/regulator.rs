//! What leaves the bank: the folder `regulator/` of whole runs. An attacker tries to find what was suppressed; the files
//! are read as strictly as a receiver may read them, and compared with one another and with what the bank itself keeps;
//! a bank adds an indicator of its own; a night that is run again is a further vintage.

mod attacker;
mod disclosure;
mod equality;
mod own_indicator;
mod publication;
mod sdmx;
mod unprotected;
mod vintages;
