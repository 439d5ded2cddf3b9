//! Routing and the kinematic-wave movement of vehicles.
