"""The paper's tables and figures once more, on data that anybody can have."""
